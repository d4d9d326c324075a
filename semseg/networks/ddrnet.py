"""DDRNet-23-slim, a real-time network of two branches that exchange their features.

Source: Hong et al., "Deep Dual-resolution Networks for Real-time and Accurate Semantic
Segmentation of Road Scenes", 2021 (arXiv 2101.06085), figures 3 to 5.
"""

from typing import Any

import keras

from semseg.networks.blocks import activate, conv_norm, image_input, norm, norm_conv
from semseg.networks.heads import Classifier, NumClasses, heads, resized
from semseg.networks.layers import ResizeLike

PYRAMID = ((5, 2), (9, 4), (17, 8))
"""(window, stride) of the average poolings of the pyramid; the last level is a global average."""


def ddrnet(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    width: int = 32,
    skip_width: int = 0,
    auxiliary: bool = False,
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      width: channels after the first convolution; 32 is the published "slim".
      skip_width: channels of a second fusion, with the features at 1/4 of the image, which thin
        objects need where images are small; 0 leaves it out, as published.
      auxiliary: add the paper's auxiliary output, on the 1/8 features after the first exchange.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.
    """
    image, x = image_input(channels)
    x = conv_norm(x, width, 3, "stem0", strides=2)
    x = conv_norm(x, width, 3, "stem1", strides=2)
    quarter = x = _stage(x, width, 1, "stage1")
    x = activate(_stage(activate(x, "stage1"), 2 * width, 2, "stage2"), "stage2")  # 1/8

    context = _stage(x, 4 * width, 2, "context3")  # 1/16
    detail = _stage(x, 2 * width, 1, "detail3")  # 1/8, and stays there
    context, detail = _exchange(context, detail, (4 * width,), "exchange3")
    early = detail
    context = _stage(activate(context, "context3"), 8 * width, 2, "context4")  # 1/32
    detail = _stage(activate(detail, "detail3"), 2 * width, 1, "detail4")
    context, detail = _exchange(context, detail, (4 * width, 8 * width), "exchange4")

    detail = _bottleneck(activate(detail, "detail4"), 2 * width, 1, "detail5")
    context = _bottleneck(activate(context, "context4"), 8 * width, 2, "context5")  # 1/64
    context = _pyramid(context, 4 * width, 4 * width, "pyramid")
    context = ResizeLike(name="pyramid_upsample")([context, detail])
    x = keras.layers.Add(name="fusion_add")([detail, context])
    x = _skip(x, quarter, skip_width, "skip") if skip_width else norm_conv(x, 2 * width, 3, "head")
    main = resized(norm(x, "logits", "relu"), image)
    extra = [_early_head(early, 2 * width, image)] if auxiliary else []
    return keras.Model(image, heads(num_classes, main, extra), name="ddrnet")


def _early_head(x: Any, width: int, image: Any) -> Classifier:
    x = norm_conv(x, width, 3, "aux0")
    return resized(norm(x, "aux0_logits", "relu"), image)


def _stage(x: Any, width: int, strides: int, name: str) -> Any:
    """Two basic blocks of a ResNet, the last without its activation."""
    x = activate(_basic(x, width, strides, f"{name}_block0"), f"{name}_block0")
    return _basic(x, width, 1, f"{name}_block1")


def _basic(x: Any, width: int, strides: int, name: str) -> Any:
    skip = x
    x = conv_norm(x, width, 3, f"{name}_conv0", strides=strides)
    x = conv_norm(x, width, 3, f"{name}_conv1", activation=None)
    return _add(skip, x, width, strides, name)


def _bottleneck(x: Any, width: int, strides: int, name: str) -> Any:
    """A bottleneck block without its activation, which ends twice as wide as it works."""
    skip = x
    x = conv_norm(x, width, 1, f"{name}_conv0")
    x = conv_norm(x, width, 3, f"{name}_conv1", strides=strides)
    x = conv_norm(x, 2 * width, 1, f"{name}_conv2", activation=None)
    return _add(skip, x, 2 * width, strides, name)


def _add(skip: Any, x: Any, width: int, strides: int, name: str) -> Any:
    if strides > 1 or skip.shape[-1] != width:
        skip = conv_norm(skip, width, 1, f"{name}_skip", strides=strides, activation=None)
    return keras.layers.Add(name=f"{name}_add")([skip, x])


def _exchange(context: Any, detail: Any, widths: tuple[int, ...], name: str) -> tuple[Any, Any]:
    """Adds each branch to the other: bilateral fusion.

    ``widths`` are those of the convolutions of stride 2 from the detail to the context branch.
    """
    up = conv_norm(
        activate(context, f"{name}_up"), detail.shape[-1], 1, f"{name}_compress", activation=None
    )
    up = ResizeLike(name=f"{name}_upsample")([up, detail])
    down = activate(detail, f"{name}_down")
    for index, width in enumerate(widths):
        is_last = index == len(widths) - 1
        down = conv_norm(
            down, width, 3, f"{name}_down{index}", strides=2, activation=None if is_last else "relu"
        )
    context = keras.layers.Add(name=f"{name}_context")([context, down])
    return context, keras.layers.Add(name=f"{name}_detail")([detail, up])


def _pyramid(x: Any, branch_width: int, width: int, name: str) -> Any:
    """Deep aggregation pyramid pooling (DAPPM): each level adds to the next finer one's result."""
    levels = [norm_conv(x, branch_width, 1, f"{name}0")]
    for index, pooled in enumerate(_pooled(x, name), start=1):
        level = norm_conv(pooled, branch_width, 1, f"{name}{index}")
        upsampled = ResizeLike(name=f"{name}{index}_upsample")([level, x])
        summed = keras.layers.Add(name=f"{name}{index}_add")([upsampled, levels[-1]])
        levels.append(norm_conv(summed, branch_width, 3, f"{name}{index}_process"))
    joined = keras.layers.Concatenate(name=f"{name}_concat")(levels)
    joined = norm_conv(joined, width, 1, f"{name}_compress")
    return keras.layers.Add(name=f"{name}_add")(
        [joined, norm_conv(x, width, 1, f"{name}_shortcut")]
    )


def _pooled(x: Any, name: str) -> list:
    pooled = [
        keras.layers.AveragePooling2D(window, stride, "same", name=f"{name}{index}_pool")(x)
        for index, (window, stride) in enumerate(PYRAMID, start=1)
    ]
    average = keras.layers.GlobalAveragePooling2D(
        keepdims=True, name=f"{name}{len(PYRAMID) + 1}_pool"
    )
    return [*pooled, average(x)]


def _skip(x: Any, quarter: Any, width: int, name: str) -> Any:
    """Joins the fused features with those at 1/4 of the image."""
    x = ResizeLike(name=f"{name}_upsample")([norm_conv(x, width, 1, f"{name}_reduce"), quarter])
    quarter = norm_conv(quarter, width, 1, f"{name}_quarter")
    x = keras.layers.Add(name=f"{name}_add")([x, quarter])
    return norm_conv(x, width, 3, f"{name}_fuse")
