"""The networks by name: each is a function from a number of classes and options to a Keras model.

Every model takes float32 images [N, H, W, channels] with values 0..255, scales them itself, and
gives logits [N, H, W, num_classes] at the size of the image, for any height and width. ``heads``
says how several heads and auxiliary outputs are named; ``sq_stereo`` alone takes two images.
"""

from collections.abc import Callable

import keras

from semseg.networks.bisenet import bisenet_v2
from semseg.networks.color_position import color_position
from semseg.networks.dabnet import dabnet
from semseg.networks.ddrnet import ddrnet
from semseg.networks.enet import enet
from semseg.networks.fast_scnn import fast_scnn
from semseg.networks.mobilenet import mobilenet_v1, mobilenet_v2
from semseg.networks.pidnet import pidnet
from semseg.networks.resnet_baseline import resnet_baseline
from semseg.networks.sq import sq, sq_stereo
from semseg.networks.swiftnet import swiftnet
from semseg.networks.unet import unet

NETWORKS: dict[str, Callable[..., keras.Model]] = {
    "bisenet_v2": bisenet_v2,
    "color_position": color_position,
    "dabnet": dabnet,
    "ddrnet": ddrnet,
    "enet": enet,
    "fast_scnn": fast_scnn,
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
    "pidnet": pidnet,
    "resnet_baseline": resnet_baseline,
    "sq": sq,
    "sq_stereo": sq_stereo,
    "swiftnet": swiftnet,
    "unet": unet,
}

__all__ = [
    "NETWORKS",
    "bisenet_v2",
    "color_position",
    "dabnet",
    "ddrnet",
    "enet",
    "fast_scnn",
    "mobilenet_v1",
    "mobilenet_v2",
    "pidnet",
    "resnet_baseline",
    "sq",
    "sq_stereo",
    "swiftnet",
    "unet",
]
