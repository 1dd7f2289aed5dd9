"""What a request can hold, a file for each kind."""
