"""What DDRNet and PIDNet are made of: residual blocks, pyramid poolings, heads.

The blocks are those of ResNet without the last activation, which is the caller's: branches meet
before it.
"""

from typing import Any

import keras

from semseg.networks.blocks import activate, conv_norm, norm, norm_conv
from semseg.networks.heads import Classifier, resized
from semseg.networks.layers import ResizeLike

WINDOWS = ((5, 2), (9, 4), (17, 8))
"""(window, stride) of the average poolings of a pyramid; the last level is a global average."""


def stage(x: Any, width: int, strides: int, name: str, blocks: int = 2) -> Any:
    """Several basic blocks, of which the first has the strides."""
    x = basic_block(x, width, strides, f"{name}_block0")
    for index in range(1, blocks):
        x = activate(x, f"{name}_block{index - 1}")
        x = basic_block(x, width, 1, f"{name}_block{index}")
    return x


def basic_block(x: Any, width: int, strides: int, name: str) -> Any:
    """Two 3x3 convolutions and a skip."""
    skip = x
    x = conv_norm(x, width, 3, f"{name}_conv0", strides=strides)
    x = conv_norm(x, width, 3, f"{name}_conv1", activation=None)
    return _add(skip, x, width, strides, name)


def bottleneck(x: Any, width: int, strides: int, name: str) -> Any:
    """1x1, 3x3 and 1x1 convolutions and a skip; ends twice as wide as it works."""
    skip = x
    x = conv_norm(x, width, 1, f"{name}_conv0")
    x = conv_norm(x, width, 3, f"{name}_conv1", strides=strides)
    x = conv_norm(x, 2 * width, 1, f"{name}_conv2", activation=None)
    return _add(skip, x, 2 * width, strides, name)


def _add(skip: Any, x: Any, width: int, strides: int, name: str) -> Any:
    if strides > 1 or skip.shape[-1] != width:
        skip = conv_norm(skip, width, 1, f"{name}_skip", strides=strides, activation=None)
    return keras.layers.Add(name=f"{name}_add")([skip, x])


def pyramid(x: Any, branch_width: int, width: int, name: str, *, cascaded: bool) -> Any:
    """Pyramid pooling: averages over growing windows, processed and joined beside ``x``.

    Args:
      x: features [N, H, W, C].
      branch_width: channels of each level.
      width: channels of the result.
      name: what the layers' names begin with.
      cascaded: whether a level is added to the next finer one's result (DDRNet's deep aggregation,
        DAPPM) or to the finest alone (PIDNet's parallel aggregation, PAPPM).

    Returns:
      Features [N, H, W, width].
    """
    levels = [norm_conv(x, branch_width, 1, f"{name}0")]
    for index, average in enumerate(_averages(x, name), start=1):
        level = norm_conv(average, branch_width, 1, f"{name}{index}")
        level = ResizeLike(name=f"{name}{index}_upsample")([level, x])
        finer = levels[-1] if cascaded else levels[0]
        level = keras.layers.Add(name=f"{name}{index}_add")([level, finer])
        levels.append(norm_conv(level, branch_width, 3, f"{name}{index}_process"))
    joined = keras.layers.Concatenate(name=f"{name}_concat")(levels)
    joined = norm_conv(joined, width, 1, f"{name}_compress")
    shortcut = norm_conv(x, width, 1, f"{name}_shortcut")
    return keras.layers.Add(name=f"{name}_add")([joined, shortcut])


def _averages(x: Any, name: str) -> list:
    """Averages over the growing ``WINDOWS`` and over the image."""
    levels = [
        keras.layers.AveragePooling2D(window, stride, "same", name=f"{name}{index}_pool")(x)
        for index, (window, stride) in enumerate(WINDOWS, start=1)
    ]
    average = keras.layers.GlobalAveragePooling2D(
        keepdims=True, name=f"{name}{len(WINDOWS) + 1}_pool"
    )
    return [*levels, average(x)]


def head(x: Any, width: int, image: Any, name: str, logits: str = "logits") -> Classifier:
    """A 3x3 convolution and the classifier, both pre-activated; resized to ``image``."""
    x = norm_conv(x, width, 3, name)
    return resized(norm(x, logits, "relu"), image)
