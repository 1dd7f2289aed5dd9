"""Endpoints: what they are made of, making them, asking them."""
