"""Training: configuration, losses, schedules, the trainer, checkpoints and freezing."""

import os

from semseg.runtime.processor import prefer_onednn

# Only errors, unless the user asked for more; read when TensorFlow is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
prefer_onednn()
