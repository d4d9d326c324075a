"""DABNet: depthwise asymmetric bottlenecks, 0.76 M parameters.

Source: Li et al., "DABNet: Depth-wise Asymmetric Bottleneck for Real-time Semantic
Segmentation", BMVC 2019 (arXiv 1907.11357), figure 2 and table 1; the epsilon of normalisations is
that of the authors' code, whose classifier has no bias.
"""

from typing import Any

import keras

from semseg.networks.blocks import conv, depthwise, image_input, norm, scaled
from semseg.networks.heads import NumClasses, heads, resized

EPSILON = 1e-3


def dabnet(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    width: float = 1.0,
    rates: tuple[tuple[int, ...], ...] = ((2, 2, 2), (4, 4, 8, 8, 16, 16)),
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      width: factor on the published number of channels of every layer.
      rates: dilation rates of the modules of each block; a block halves the size.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.
    """
    image, small = image_input(channels)
    x = _conv_norm(small, scaled(width, 32), 3, "stem0", strides=2)
    for index in (1, 2):
        x = _conv_norm(x, scaled(width, 32), 3, f"stem{index}")
    small = _halved(small, "image_pool0")
    x = _norm(_concatenated([x, small], "stem"), "stem")
    for block, block_rates in enumerate(rates):
        first = x = _downsampled(x, scaled(width, 64 * 2**block), f"down{block}")
        for index, rate in enumerate(block_rates):
            x = _module(x, rate, f"block{block}_module{index}")
        small = _halved(small, f"image_pool{block + 1}")
        x = _norm(_concatenated([x, first, small], f"block{block}"), f"block{block}")
    return keras.Model(image, heads(num_classes, resized(x, image)), name="dabnet")


def _module(x: Any, rate: int, name: str) -> Any:
    """A bottleneck of two branches of 3x1 and 1x3 depthwise convolutions, one of them dilated."""
    skip, inner = x, max(1, x.shape[-1] // 2)
    x = _conv_norm(_norm(x, f"{name}_in"), inner, 3, f"{name}_reduce")
    branches = [_asymmetric(x, 1, f"{name}_near"), _asymmetric(x, rate, f"{name}_far")]
    x = _norm(keras.layers.Add(name=f"{name}_branches")(branches), f"{name}_out")
    return keras.layers.Add(name=f"{name}_add")(
        [skip, conv(x, skip.shape[-1], 1, f"{name}_expand")]
    )


def _asymmetric(x: Any, rate: int, name: str) -> Any:
    x = depthwise(x, (3, 1), f"{name}_rows", dilation_rate=(rate, 1))
    x = _norm(x, f"{name}_rows")
    x = depthwise(x, (1, 3), f"{name}_columns", dilation_rate=(1, rate))
    return _norm(x, f"{name}_columns")


def _downsampled(x: Any, width: int, name: str) -> Any:
    """Halves the size: by a convolution, and beside it a pooling where the width grows."""
    before = x.shape[-1]
    if before >= width:
        return _norm(conv(x, width, 3, name, strides=2), name)
    pooled = keras.layers.MaxPooling2D(padding="same", name=f"{name}_pool")(x)
    x = conv(x, width - before, 3, name, strides=2)
    return _norm(_concatenated([x, pooled], name), name)


def _halved(image: Any, name: str) -> Any:
    return keras.layers.AveragePooling2D(3, 2, "same", name=name)(image)


def _concatenated(parts: list, name: str) -> Any:
    return keras.layers.Concatenate(name=f"{name}_concat")(parts)


def _conv_norm(x: Any, width: int, kernel: int, name: str, **options: Any) -> Any:
    return _norm(conv(x, width, kernel, name, **options), name)


def _norm(x: Any, name: str) -> Any:
    return norm(x, name, "prelu", epsilon=EPSILON)
