"""Photos that a request names by URL, from hosts that the owner lists and from nowhere else."""
