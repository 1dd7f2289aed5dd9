"""Whose AWS account it is, and what its services say when they refuse."""
