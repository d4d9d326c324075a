"""ENet, a network of 0.37 M parameters.

Source: Paszke et al., "ENet: A Deep Neural Network Architecture for Real-Time Semantic
Segmentation", 2016 (arXiv 1606.02147), table 1 and figure 2. Unlike there, the convolutions inside
bottlenecks have no bias, encoder and decoder are trained at once, and ``MaxUnpool`` finds the
maxima by comparison.
"""

from itertools import cycle, islice
from typing import Any

import keras

from semseg.networks.blocks import activate, conv, conv_norm, image_input, norm, scaled
from semseg.networks.heads import NumClasses, doubled, heads
from semseg.networks.layers import MaxUnpool, PadChannels, PadToMultiple

ASYMMETRIC = 0
DILATIONS = (1, 2, ASYMMETRIC, 4, 1, 8, ASYMMETRIC, 16)
"""Dilations of the bottlenecks of stages 2 and 3, in turns; or a 5x1 and a 1x5 convolution."""
REDUCTION = 4


def enet(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    width: float = 1.0,
    blocks: tuple[int, int, int] = (4, 8, 8),
    dropout: float = 0.1,
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      width: factor on the published number of channels of every layer.
      blocks: bottlenecks of stages 1, 2 and 3, those that halve the size apart.
      dropout: share of channels dropped in each bottleneck of stages 2 and 3, in training; a
        tenth of it in stage 1.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.
    """
    first, middle, deep = (scaled(width, published) for published in (16, 64, 128))
    image, x = image_input(channels)
    x = PadToMultiple(8, name="pad")(x)
    half = x = _initial(x, first, "initial")
    x, half_maxima = _down(x, middle, dropout / 10, "down1")
    for index in range(blocks[0]):
        x = _bottleneck(x, 1, dropout / 10, f"stage1_{index}")
    quarter = x
    x, quarter_maxima = _down(x, deep, dropout, "down2")
    for stage, count in enumerate(blocks[1:], start=2):
        for index, dilation in enumerate(islice(cycle(DILATIONS), count)):
            x = _bottleneck(x, dilation, dropout, f"stage{stage}_{index}")
    x = _up(x, quarter, quarter_maxima, "up4")
    for index in range(2):
        x = _bottleneck(x, 1, 0, f"stage4_{index}", "relu")
    x = _up(x, half, half_maxima, "up5")
    x = _bottleneck(x, 1, 0, "stage5_0", "relu")
    return keras.Model(image, heads(num_classes, doubled(x, image, kernel=2)), name="enet")


def _initial(x: Any, width: int, name: str) -> Any:
    pooled = keras.layers.MaxPooling2D(name=f"{name}_pool")(x)
    x = conv(x, max(1, width - x.shape[-1]), 3, name, strides=2)
    return norm(keras.layers.Concatenate(name=f"{name}_concat")([x, pooled]), name, "prelu")


def _inner(width: int) -> int:
    """Channels inside a bottleneck; of a single one, normalisation would undo every scale."""
    return max(2, width // REDUCTION)


def _bottleneck(x: Any, dilation: int, dropout: float, name: str, activation: str = "prelu") -> Any:
    inner = _inner(x.shape[-1])
    skip, x = x, conv_norm(x, inner, 1, f"{name}_reduce", activation=activation)
    if dilation == ASYMMETRIC:
        x = conv(x, inner, (5, 1), f"{name}_rows")
        x = conv_norm(x, inner, (1, 5), f"{name}_columns", activation=activation)
    else:
        x = conv_norm(x, inner, 3, name, dilation_rate=dilation, activation=activation)
    return _added(x, skip, dropout, name, activation)


def _down(x: Any, width: int, dropout: float, name: str) -> tuple[Any, Any]:
    """Halves the size; returns the maxima of its pooling too, which skip, widened by zeros."""
    inner = _inner(width)
    maxima = keras.layers.MaxPooling2D(name=f"{name}_pool")(x)
    x = conv_norm(x, inner, 2, f"{name}_reduce", strides=2, activation="prelu")
    x = conv_norm(x, inner, 3, name, activation="prelu")
    skip = PadChannels(width, name=f"{name}_widen")(maxima)
    return _added(x, skip, dropout, name, "prelu"), maxima


def _up(x: Any, before: Any, maxima: Any, name: str) -> Any:
    """Doubles the size; a projection goes back to where the pooling found its maxima."""
    width = before.shape[-1]
    inner = _inner(width)
    skip = conv_norm(x, width, 1, f"{name}_skip", activation=None)
    skip = MaxUnpool(name=f"{name}_unpool")([skip, before, maxima])
    x = conv_norm(x, inner, 1, f"{name}_reduce")
    x = keras.layers.Conv2DTranspose(
        inner, 3, 2, "same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)
    return _added(norm(x, name, "relu"), skip, 0, name, "relu")


def _added(x: Any, skip: Any, dropout: float, name: str, activation: str) -> Any:
    """Ends a bottleneck: expansion, dropout of whole channels, sum with the skip, activation."""
    x = conv_norm(x, skip.shape[-1], 1, f"{name}_expand", activation=None)
    if dropout:
        x = keras.layers.SpatialDropout2D(dropout, seed=0, name=f"{name}_dropout")(x)
    x = keras.layers.Add(name=f"{name}_add")([skip, x])
    return activate(x, f"{name}_out", activation)
