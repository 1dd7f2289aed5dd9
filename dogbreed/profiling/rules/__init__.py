"""Rules on what was sampled and timed: pure functions, by the names and with the parameters of SageMaker's."""
