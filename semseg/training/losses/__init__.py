"""Losses over logits [N, H, W, C] and labels [N, H, W]; ``IGNORE`` pixels count nowhere.

All of them give 0, and no gradient, for a batch without a labelled pixel, and have static shapes,
so that XLA can compile them.
"""

import keras

from semseg.training.losses.outputs import HeadLoss, output_losses
from semseg.training.losses.pixelwise import (
    BootstrappedCrossEntropy,
    CrossEntropy,
    FocalLoss,
    OhemCrossEntropy,
)
from semseg.training.losses.regions import DiceLoss, LovaszLoss
from semseg.training.losses.soft_labels import SoftLabels

LOSSES: dict[str, type[keras.losses.Loss]] = {
    "bootstrapped_cross_entropy": BootstrappedCrossEntropy,
    "cross_entropy": CrossEntropy,
    "dice": DiceLoss,
    "focal": FocalLoss,
    "lovasz": LovaszLoss,
    "ohem_cross_entropy": OhemCrossEntropy,
}
"""The losses by the names that experiments use."""

__all__ = [
    "LOSSES",
    "BootstrappedCrossEntropy",
    "CrossEntropy",
    "DiceLoss",
    "FocalLoss",
    "HeadLoss",
    "LovaszLoss",
    "OhemCrossEntropy",
    "SoftLabels",
    "output_losses",
]
