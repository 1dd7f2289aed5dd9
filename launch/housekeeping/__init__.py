"""What is alive in an account, what it lacks, and what IAM has to allow."""
