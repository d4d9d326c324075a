"""U-Net with batch norm and zero padding.

Source: Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation",
MICCAI 2015, figure 1. Padding keeps the size, where the paper loses the border; batch norm is
what everyone has added since. The paper's dropout at the lowest resolution is left out.
"""

from typing import Any

import keras

from semseg.networks.blocks import conv_norm, image_input
from semseg.networks.heads import NumClasses, cropped, heads
from semseg.networks.layers import PadToMultiple


def unet(
    num_classes: NumClasses, *, channels: int = 3, base_width: int = 64, poolings: int = 4
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      base_width: channels at full resolution; each pooling doubles them.
      poolings: number of poolings.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.
    """
    image, x = image_input(channels)
    x = PadToMultiple(2**poolings, name="pad")(x)
    skips = []
    for depth in range(poolings):
        x = _twice(x, base_width * 2**depth, f"encoder{depth}")
        skips.append(x)
        x = keras.layers.MaxPooling2D(name=f"encoder{depth}_pool")(x)
    x = _twice(x, base_width * 2**poolings, "centre")
    for depth, skip in reversed(list(enumerate(skips))):
        width = base_width * 2**depth
        x = keras.layers.Conv2DTranspose(
            width, 2, 2, kernel_initializer="he_normal", name=f"decoder{depth}_upsample"
        )(x)
        x = keras.layers.Concatenate(name=f"decoder{depth}_concat")([skip, x])
        x = _twice(x, width, f"decoder{depth}")
    main = cropped(x, image, kernel=1)
    return keras.Model(image, heads(num_classes, main), name="unet")


def _twice(x: Any, width: int, name: str) -> Any:
    for index in range(2):
        x = conv_norm(x, width, 3, f"{name}_conv{index}")
    return x
