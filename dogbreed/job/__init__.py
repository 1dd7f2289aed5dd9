"""A run as a training job of Amazon SageMaker: what the container knows, and what the service wants to find."""
