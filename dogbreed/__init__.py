"""Fine-tune a pretrained image classifier on a folder of photos, and trust the result."""
