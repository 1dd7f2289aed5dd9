"""What is asked of SageMaker, as plain data: checked, priced and hashed before anything is sent."""
