"""From settings to the plan of a job."""
