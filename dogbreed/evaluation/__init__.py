"""What a model knows of a folder of photos, and how far to believe it."""
