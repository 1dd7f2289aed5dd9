"""What a job is brought and what it leaves, between this machine and S3."""
