"""Fast-SCNN, a network for real-time segmentation with 1.1 M parameters.

Source: Poudel et al., "Fast-SCNN: Fast Semantic Segmentation Network", BMVC 2019, table 1.
"""

from typing import Any

import keras

from semseg.networks.layers import AdaptiveAverage, ResizeLike
from semseg.networks.normalization import BatchNormalization

BOTTLENECKS = ((64, 3, 2), (96, 3, 2), (128, 3, 1))
"""(width, blocks, stride of the first block) of the global feature extractor."""
EXPANSION = 6
PYRAMID_BINS = (1, 2, 3, 6)


def fast_scnn(
    num_classes: int, *, channels: int = 3, width: float = 1.0, dropout: float = 0.1
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes.
      channels: channels of the input.
      width: factor on the published number of channels of every layer.
      dropout: share of features that the classifier drops in training.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes].
    """
    scaled = [max(1, round(width * published)) for published in (32, 48, 64, 128)]
    image = keras.Input((None, None, channels), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(image)
    x = _convolution(x, scaled[0], 3, "downsample0", strides=2)
    x = _separable(x, scaled[1], "downsample1", strides=2)
    detail = x = _separable(x, scaled[2], "downsample2", strides=2)  # 1/8 of the image
    for stage, (published, blocks, stride) in enumerate(BOTTLENECKS):
        for block in range(blocks):
            x = _bottleneck(
                x,
                max(1, round(width * published)),
                stride if block == 0 else 1,
                f"context{stage}_block{block}",
            )
    x = _pyramid(x, scaled[3], "pyramid")  # 1/32
    x = _fusion(detail, x, scaled[3], "fusion")  # 1/8
    for index in range(2):
        x = _separable(x, scaled[3], f"classifier{index}")
    x = keras.layers.Dropout(dropout, seed=0, name="dropout")(x)
    x = keras.layers.Conv2D(num_classes, 1, name="logits")(x)
    return keras.Model(image, ResizeLike(name="upsample")([x, image]), name="fast_scnn")


def _bottleneck(x: Any, width: int, stride: int, name: str) -> Any:
    """Inverted residual block of MobileNetV2, its depthwise convolution between two 1x1."""
    skip = x
    x = _convolution(x, EXPANSION * x.shape[-1], 1, f"{name}_expand")
    x = _depthwise(x, f"{name}_depthwise", strides=stride)
    x = _convolution(x, width, 1, f"{name}_project", relu=False)
    if stride > 1 or skip.shape[-1] != width:
        return x
    return keras.layers.Add(name=f"{name}_add")([skip, x])


def _pyramid(x: Any, width: int, name: str) -> Any:
    """Pyramid pooling of PSPNet: averages over 1, 2, 3 and 6 cells per axis, beside ``x``."""
    levels = [x]
    for bins in PYRAMID_BINS:
        level = AdaptiveAverage(bins, name=f"{name}{bins}_pool")(x)
        level = _convolution(
            level, max(1, x.shape[-1] // len(PYRAMID_BINS)), 1, f"{name}{bins}_reduce"
        )
        levels.append(ResizeLike(name=f"{name}{bins}_upsample")([level, x]))
    x = keras.layers.Concatenate(name=f"{name}_concat")(levels)
    return _convolution(x, width, 1, f"{name}_project")


def _fusion(detail: Any, context: Any, width: int, name: str) -> Any:
    """Adds the upsampled context to the detail of the 1/8 branch."""
    context = ResizeLike(name=f"{name}_upsample")([context, detail])
    context = _depthwise(context, f"{name}_depthwise", dilation_rate=4)
    context = _convolution(context, width, 1, f"{name}_context", relu=False)
    detail = _convolution(detail, width, 1, f"{name}_detail", relu=False)
    x = keras.layers.Add(name=f"{name}_add")([context, detail])
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _separable(x: Any, width: int, name: str, strides: int = 1) -> Any:
    return _convolution(
        _depthwise(x, f"{name}_depthwise", strides=strides), width, 1, f"{name}_pointwise"
    )


def _depthwise(x: Any, name: str, **options: Any) -> Any:
    x = keras.layers.DepthwiseConv2D(
        3, padding="same", use_bias=False, depthwise_initializer="he_normal", name=name, **options
    )(x)
    return _normalized(x, name)


def _convolution(
    x: Any, width: int, kernel: int, name: str, *, strides: int = 1, relu: bool = True
) -> Any:
    x = keras.layers.Conv2D(
        width, kernel, strides, "same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)
    return _normalized(x, name, relu)


def _normalized(x: Any, name: str, relu: bool = True) -> Any:
    x = BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x
