"""Training: configuration, losses, schedules, the trainer, checkpoints and freezing."""
