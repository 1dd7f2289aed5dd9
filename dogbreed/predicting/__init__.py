"""Answers about photos, as many as there are: read ahead, kept as they come, and written as a table."""
