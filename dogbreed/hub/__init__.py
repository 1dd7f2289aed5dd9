"""The parts of a model card as the Hugging Face Hub shows it."""
