"""A run's or an evaluation's figures as one page: plain data in, self-contained HTML out."""
