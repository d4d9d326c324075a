"""The networks by name: each is a function from a number of classes and options to a Keras model.

Every model takes float32 images [N, H, W, channels] with values 0..255, scales them itself, and
gives logits [N, H, W, num_classes] at the size of the image, for any height and width. ``heads``
says how several heads and auxiliary outputs are named.
"""

from collections.abc import Callable

import keras

from semseg.networks.color_position import color_position
from semseg.networks.ddrnet import ddrnet
from semseg.networks.fast_scnn import fast_scnn
from semseg.networks.resnet_baseline import resnet_baseline

NETWORKS: dict[str, Callable[..., keras.Model]] = {
    "color_position": color_position,
    "ddrnet": ddrnet,
    "fast_scnn": fast_scnn,
    "resnet_baseline": resnet_baseline,
}

__all__ = ["NETWORKS", "color_position", "ddrnet", "fast_scnn", "resnet_baseline"]
