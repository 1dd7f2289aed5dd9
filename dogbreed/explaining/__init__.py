"""Where in a photo the evidence for an answer lies."""
