"""Fast-SCNN, a network for real-time segmentation with 1.1 M parameters.

Source: Poudel et al., "Fast-SCNN: Fast Semantic Segmentation Network", BMVC 2019, table 1. Its
auxiliary outputs stand, as in the paper, after the learning to downsample (1) and after the
global feature extractor (0); their 32 channels and the rate of dropout are those of the widespread
version Tramac/Fast-SCNN-pytorch.
"""

from typing import Any

import keras

from semseg.networks.blocks import (
    activate,
    conv_norm,
    depthwise_norm,
    image_input,
    inverted_residual,
    pyramid_pooling,
    scaled,
    separable_norm,
)
from semseg.networks.heads import NumClasses, heads, resized
from semseg.networks.layers import ResizeLike

BOTTLENECKS = ((64, 2), (96, 2), (128, 1))
"""(width, stride of the first block) of each stage of the global feature extractor."""


def fast_scnn(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    width: float = 1.0,
    blocks: tuple[int, int, int] = (3, 3, 3),
    dropout: float = 0.1,
    auxiliary: bool = False,
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      width: factor on the published number of channels of every layer.
      blocks: bottlenecks of each stage of the global feature extractor.
      dropout: share of features that the classifier drops in training.
      auxiliary: add the paper's two auxiliary outputs.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.
    """
    stem, half, quarter, deep = (scaled(width, published) for published in (32, 48, 64, 128))
    image, x = image_input(channels)
    x = conv_norm(x, stem, 3, "downsample0", strides=2)
    x = separable_norm(x, half, "downsample1", strides=2)
    detail = x = separable_norm(x, quarter, "downsample2", strides=2)  # 1/8 of the image
    context = pyramid_pooling(_context(x, width, blocks), deep, "pyramid")  # 1/32
    x = _fusion(detail, context, deep, "fusion")  # 1/8
    for index in range(2):
        x = separable_norm(x, deep, f"classifier{index}")
    x = keras.layers.Dropout(dropout, seed=0, name="dropout")(x)
    early = [
        resized(conv_norm(features, stem, 3, f"aux{index}"), image)
        for index, features in enumerate((context, detail))
        if auxiliary
    ]
    return keras.Model(image, heads(num_classes, resized(x, image), early), name="fast_scnn")


def _context(x: Any, width: float, blocks: tuple[int, int, int]) -> Any:
    for stage, ((published, strides), count) in enumerate(zip(BOTTLENECKS, blocks, strict=True)):
        for block in range(count):
            x = inverted_residual(
                x,
                scaled(width, published),
                f"context{stage}_block{block}",
                strides=1 if block else strides,
            )
    return x


def _fusion(detail: Any, context: Any, width: int, name: str) -> Any:
    """Adds the upsampled context to the detail of the 1/8 branch."""
    context = ResizeLike(name=f"{name}_upsample")([context, detail])
    context = depthwise_norm(context, f"{name}_depthwise", dilation_rate=4)
    context = conv_norm(context, width, 1, f"{name}_context", activation=None)
    detail = conv_norm(detail, width, 1, f"{name}_detail", activation=None)
    return activate(keras.layers.Add(name=f"{name}_add")([context, detail]), name)
