"""Training of the shared weights: samplers, schedule, step, checkpoints."""
