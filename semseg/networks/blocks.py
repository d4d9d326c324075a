"""Blocks that several networks are made of.

All take and return features [N, H, W, C] and a ``name`` that their layers' names begin with: the
convolution has the name itself, its normalisation ``NAME_norm``, its activation ``NAME_relu``.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras

from semseg.networks.layers import AdaptiveAverage, ResizeLike
from semseg.networks.normalization import BatchNormalization

Kernel = int | tuple[int, int]
ACTIVATIONS: dict[str, Callable[..., keras.layers.Layer]] = {
    "elu": keras.layers.ELU,
    "prelu": partial(keras.layers.PReLU, keras.initializers.Constant(0.25), shared_axes=(1, 2)),
    "relu": keras.layers.ReLU,
    "relu6": partial(keras.layers.ReLU, 6.0),
}
"""``prelu`` learns a slope for each channel."""


def image_input(channels: int, name: str = "image") -> tuple[Any, Any]:
    """Returns an image input of open size, 0..255, and the image scaled to -1..1."""
    image = keras.Input((None, None, channels), name=name)
    scale = "scale" if name == "image" else f"{name}_scale"
    return image, keras.layers.Rescaling(1 / 127.5, offset=-1, name=scale)(image)


def scaled(width: float, published: int) -> int:
    """Returns a published number of channels times the width factor, at least 1.

    Raises:
      ValueError: the factor is not above 0.
    """
    if width <= 0:
        raise ValueError(f"width is a factor above 0, found {width}")
    return max(1, round(width * published))


def activate(x: Any, name: str, activation: str = "relu") -> Any:
    """Applies one of ``ACTIVATIONS``."""
    return ACTIVATIONS[activation](name=f"{name}_{activation}")(x)


def norm(x: Any, name: str, activation: str | None = None, **options: Any) -> Any:
    """Normalises over the batch, and activates if there is an ``activation``."""
    options = {"momentum": 0.9, "epsilon": 1e-5} | options
    x = BatchNormalization(name=f"{name}_norm", **options)(x)
    return x if activation is None else activate(x, name, activation)


def conv(x: Any, width: int, kernel: Kernel, name: str, **options: Any) -> Any:
    """Convolves at the same size, without bias; ``options`` are those of ``Conv2D``."""
    options = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"} | options
    return keras.layers.Conv2D(width, kernel, name=name, **options)(x)


def conv_norm(
    x: Any,
    width: int,
    kernel: Kernel,
    name: str,
    *,
    activation: str | None = "relu",
    **options: Any,
) -> Any:
    """Convolves, normalises, and activates if there is an ``activation``."""
    return norm(conv(x, width, kernel, name, **options), name, activation)


def norm_conv(x: Any, width: int, kernel: Kernel, name: str, **options: Any) -> Any:
    """Normalises, rectifies, then convolves: pre-activation."""
    return conv(norm(x, name, "relu"), width, kernel, name, **options)


def depthwise(x: Any, kernel: Kernel, name: str, **options: Any) -> Any:
    """Convolves each channel with its own kernel; ``options`` are those of ``DepthwiseConv2D``."""
    return keras.layers.DepthwiseConv2D(
        kernel,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        name=name,
        **options,
    )(x)


def depthwise_norm(
    x: Any, name: str, *, kernel: Kernel = 3, activation: str | None = "relu", **options: Any
) -> Any:
    """Convolves each channel, normalises, and activates if there is an ``activation``."""
    return norm(depthwise(x, kernel, name, **options), name, activation)


def separable_norm(
    x: Any, width: int, name: str, *, activation: str = "relu", **options: Any
) -> Any:
    """A depthwise and a 1x1 convolution, each normalised and activated."""
    x = depthwise_norm(x, f"{name}_depthwise", activation=activation, **options)
    return conv_norm(x, width, 1, f"{name}_pointwise", activation=activation)


def inverted_residual(
    x: Any,
    width: int,
    name: str,
    *,
    expansion: int = 6,
    strides: int = 1,
    activation: str = "relu",
    **options: Any,
) -> Any:
    """MobileNetV2's block: 1x1 to ``expansion`` times the channels, depthwise, 1x1 to ``width``.

    ``options`` are those of the depthwise convolution.
    """
    skip = x
    if expansion > 1:
        x = conv_norm(x, expansion * x.shape[-1], 1, f"{name}_expand", activation=activation)
    x = depthwise_norm(x, f"{name}_depthwise", strides=strides, activation=activation, **options)
    x = conv_norm(x, width, 1, f"{name}_project", activation=None)
    if strides > 1 or skip.shape[-1] != width:
        return x
    return keras.layers.Add(name=f"{name}_add")([skip, x])


def pyramid_pooling(x: Any, width: int, name: str, bins: tuple[int, ...] = (1, 2, 3, 6)) -> Any:
    """PSPNet's block: averages over ``bins`` cells per axis, each to C / len(bins), beside x."""
    levels = [x]
    for count in bins:
        level = AdaptiveAverage(count, name=f"{name}{count}_pool")(x)
        level = conv_norm(level, max(1, x.shape[-1] // len(bins)), 1, f"{name}{count}_reduce")
        levels.append(ResizeLike(name=f"{name}{count}_upsample")([level, x]))
    x = keras.layers.Concatenate(name=f"{name}_concat")(levels)
    return conv_norm(x, width, 1, f"{name}_project")
