"""What is sent to a cloud: requests as plain data, made on your machine without torch."""
