"""What a machine gives for some photos and a network, and what to change."""
