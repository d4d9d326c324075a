"""The ResNet baseline of the FRRN paper, as PARIS-sem-seg runs it on robots.

Source: Pohlen et al., "Full-Resolution Residual Networks for Semantic Segmentation in Street
Scenes", CVPR 2017 (the single-stream network they compare with, not the two-stream FRRN). Base
width 48 is the full model of PARIS-sem-seg (17.96 M parameters), 8 its reduced one (0.503 M).
"""

from typing import Any

import keras

from semseg.networks.heads import NumClasses, cropped, heads
from semseg.networks.layers import DoubleSize, PadToMultiple
from semseg.networks.normalization import BatchNormalization

ENCODER = ((1, 2), (2, 3), (4, 4), (8, 2), (8, 2))
"""(width factor, blocks) per scale; a 2x2 pooling stands between two scales."""
DECODER = ((4, 2), (4, 2), (2, 2), (1, 2))
"""(width factor, blocks) per scale; upsampling and a skip connection stand before each."""
STRIDE = 2 ** len(DECODER)


def resnet_baseline(
    num_classes: NumClasses, *, channels: int = 3, base_width: int = 8
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes.
      channels: channels of the input.
      base_width: channels at full resolution; the deepest scale has eight times as many.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes].
    """
    image = keras.Input((None, None, channels), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(image)
    x = PadToMultiple(STRIDE, name="pad")(x)
    x = _convolution(x, base_width, "stem")
    skips = []
    for depth, (factor, blocks) in enumerate(ENCODER):
        if depth:
            skips.append(x)
            x = keras.layers.MaxPooling2D(name=f"encoder{depth}_pool")(x)
        x = _stage(x, factor * base_width, blocks, f"encoder{depth}")
    for depth, (factor, blocks) in reversed(list(enumerate(reversed(DECODER)))):
        x = DoubleSize(name=f"decoder{depth}_upsample")(x)
        x = keras.layers.Concatenate(name=f"decoder{depth}_concat")([x, skips[depth]])
        x = _stage(x, factor * base_width, blocks, f"decoder{depth}")
    x = _activation(x, "head")
    return keras.Model(image, heads(num_classes, cropped(x, image)), name="resnet_baseline")


def _stage(x: Any, width: int, blocks: int, name: str) -> Any:
    for index in range(blocks):
        x = _block(x, width, f"{name}_block{index}")
    return x


def _block(x: Any, width: int, name: str) -> Any:
    """Pre-activation residual block; the skip is projected only where the width changes."""
    skip = x
    if x.shape[-1] != width:
        skip = keras.layers.Conv2D(width, 1, use_bias=False, name=f"{name}_skip")(x)
    for index in range(2):
        x = _convolution(_activation(x, f"{name}_{index}"), width, f"{name}_{index}_conv")
    return keras.layers.Add(name=f"{name}_add")([skip, x])


def _activation(x: Any, name: str) -> Any:
    x = BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _convolution(x: Any, width: int, name: str, use_bias: bool = False) -> Any:
    return keras.layers.Conv2D(
        width, 3, padding="same", use_bias=use_bias, kernel_initializer="he_normal", name=name
    )(x)
