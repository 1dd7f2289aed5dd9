"""Photos in S3, answered by a model that is there for as long as they need."""
