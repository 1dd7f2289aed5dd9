"""What was computed once and is kept on disk: rows of numbers by key."""
