"""SwiftNet: a pretrained encoder, a pyramid of averages and a thin ladder back to the image.

Source: Orsic et al., "In Defense of Pre-trained ImageNet Architectures for Real-time Semantic
Segmentation of Road-driving Images", CVPR 2019 (arXiv 1903.08469), the single-scale model of
figures 2 and 3, whose encoder is ResNet-18 or MobileNetV2 and whose ladder is 128 wide.
"""

from typing import Any

import keras

from semseg.networks.blocks import conv, conv_norm, separable_norm
from semseg.networks.encoders import encode
from semseg.networks.heads import NumClasses, heads, resized
from semseg.networks.layers import AdaptiveAverage, ResizeLike

BINS = (1, 2, 4)
"""Cells per axis of the pyramid's averages; small images have few pixels at 1/32."""


def swiftnet(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    encoder: str = "efficientnet_lite0",
    encoder_blocks: int = 0,
    width: int = 96,
    finest: int = 4,
    separable: bool = False,
    auxiliary: bool = False,
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input; weights of the encoder's first layer are for 3.
      encoder: ``efficientnet_lite0``, ``1``, ``2`` or ``mobilenet_v2``; their weights are
        loaded by ``fine_tuning.init_weights``, without it they are random.
      encoder_blocks: how many of the encoder's blocks there are; 0 has all. The last blocks have
        most parameters.
      width: channels of the ladder at 1/16 and 1/8 of the image; each finer step has half of the
        one before.
      finest: the ladder ends at 1/4 or 1/2 of the image.
      separable: blend by depthwise and 1x1 convolutions, not by 3x3 ones: a ninth of the ladder's
        multiplications.
      auxiliary: add an auxiliary output at each step of the ladder but the last.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.

    Raises:
      ValueError: ``finest`` is not 4 or 2, or there is no such encoder, or it has no features at
        1/32 of the image.
    """
    if finest not in (2, 4):
        raise ValueError(f"finest is 4 or 2, found {finest}")
    image = keras.Input((None, None, channels), name="image")
    *skips, deepest = encode(image, encoder, encoder_blocks)
    if len(skips) < 4:
        raise ValueError(f"encoder_blocks: {encoder_blocks} blocks do not reach 1/32 of the image")
    x = _pyramid(deepest, width, "pyramid")
    steps = []
    for scale, finer in zip((16, 8, 4, 2), reversed(skips), strict=True):
        if scale >= finest:
            x = _step(x, finer, max(1, width * min(scale, 8) // 8), f"ladder{scale}", separable)
            steps.append(x)
    early = [resized(features, image) for features in steps[:-1] if auxiliary]
    return keras.Model(image, heads(num_classes, resized(x, image), early), name="swiftnet")


def _pyramid(x: Any, width: int, name: str) -> Any:
    """Joins features with their averages over 1, 2 and 4 cells per axis."""
    x = conv_norm(x, width, 1, f"{name}_reduce")
    levels = [x]
    for bins in BINS:
        level = AdaptiveAverage(bins, name=f"{name}{bins}_pool")(x)
        # Without normalisation: a cell of a small batch has no variance to speak of.
        level = conv(level, max(1, width // len(BINS)), 1, f"{name}{bins}_reduce", use_bias=True)
        levels.append(ResizeLike(name=f"{name}{bins}_upsample")([level, x]))
    x = keras.layers.Concatenate(name=f"{name}_concat")(levels)
    return conv_norm(x, width, 1, f"{name}_project")


def _step(x: Any, finer: Any, width: int, name: str, separable: bool) -> Any:
    """Adds the encoder's finer features to the upsampled ones, and blends them."""
    skip = conv_norm(finer, x.shape[-1], 1, f"{name}_skip")
    x = ResizeLike(name=f"{name}_upsample")([x, skip])
    x = keras.layers.Add(name=f"{name}_add")([x, skip])
    blend = separable_norm if separable else _convolved
    return blend(x, width, f"{name}_blend")


def _convolved(x: Any, width: int, name: str) -> Any:
    return conv_norm(x, width, 3, name)
