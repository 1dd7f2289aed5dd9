"""The page of the server: a photo in, breeds out."""
