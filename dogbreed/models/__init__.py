"""Backbones, heads, and the module that trains them."""
