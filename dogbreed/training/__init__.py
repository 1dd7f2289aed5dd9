"""What surrounds the training loop: checkpoints that continue a run, callbacks, the run itself."""
