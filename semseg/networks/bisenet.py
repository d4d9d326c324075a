"""BiSeNet V2: a shallow wide branch for detail, a deep narrow one for meaning.

Source: Yu et al., "BiSeNet V2: Bilateral Network with Guided Aggregation for Real-time Semantic
Segmentation", IJCV 2021 (arXiv 2004.02147), table 1 and figures 4 to 6. The head's 1024 channels,
its dropout, the activations after the expansions and after the aggregation, and the normalised
context embedding are those of the widespread version CoinCheung/BiSeNet; the paper leaves them
open.
"""

from typing import Any

import keras

from semseg.networks.blocks import (
    activate,
    conv,
    conv_norm,
    depthwise_norm,
    image_input,
    norm,
    scaled,
)
from semseg.networks.heads import Classifier, NumClasses, heads, resized
from semseg.networks.layers import ResizeLike

DETAIL = ((64, 2), (64, 3), (128, 3))
"""(width, convolutions) of each stage of the detail branch; the first halves the size."""
SEMANTIC_WIDTHS = (32, 64, 128)
"""Channels of each stage of the semantic branch, whose first block halves the size."""
STEM_WIDTH, HEAD_WIDTH, AUXILIARY_WIDTH = 16, 1024, 128
EXPANSION = 6


def bisenet_v2(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    width: float = 1.0,
    blocks: tuple[int, int, int] = (2, 2, 4),
    dropout: float = 0.1,
    auxiliary: bool = False,
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      width: factor on the published number of channels of every layer.
      blocks: gather-and-expansion blocks of each stage of the semantic branch.
      dropout: share of features that the classifier drops in training.
      auxiliary: add the paper's booster: an output after each stage of the semantic branch.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.
    """
    image, x = image_input(channels)
    detail = _detail(x, width)  # 1/8
    stages = [_stem(x, scaled(width, STEM_WIDTH), "stem")]  # 1/4
    for index, (published, count) in enumerate(zip(SEMANTIC_WIDTHS, blocks, strict=True)):
        stages.append(_stage(stages[-1], scaled(width, published), count, f"semantic{index}"))
    x = _aggregated(detail, _context(stages[-1], "context"), "aggregation")  # 1/8
    x = conv_norm(x, scaled(width, HEAD_WIDTH), 3, "head")
    x = keras.layers.Dropout(dropout, seed=0, name="dropout")(x)
    booster = [
        _booster(features, scaled(width, AUXILIARY_WIDTH), image, f"aux{index}")
        for index, features in enumerate(stages)
        if auxiliary
    ]
    return keras.Model(image, heads(num_classes, resized(x, image), booster), name="bisenet_v2")


def _booster(x: Any, width: int, image: Any, name: str) -> Classifier:
    return resized(conv_norm(x, width, 3, name), image)


def _detail(x: Any, width: float) -> Any:
    for stage, (published, convolutions) in enumerate(DETAIL):
        for index in range(convolutions):
            x = conv_norm(
                x,
                scaled(width, published),
                3,
                f"detail{stage}_{index}",
                strides=1 if index else 2,
            )
    return x


def _stem(x: Any, width: int, name: str) -> Any:
    """Halves the size twice, the second time by a convolution and a pooling side by side."""
    x = conv_norm(x, width, 3, f"{name}_conv", strides=2)
    pooled = keras.layers.MaxPooling2D(3, 2, "same", name=f"{name}_pool")(x)
    x = conv_norm(x, max(1, width // 2), 1, f"{name}_reduce")
    x = conv_norm(x, width, 3, f"{name}_down", strides=2)
    x = keras.layers.Concatenate(name=f"{name}_concat")([x, pooled])
    return conv_norm(x, width, 3, f"{name}_fuse")


def _stage(x: Any, width: int, blocks: int, name: str) -> Any:
    x = _gather_down(x, width, f"{name}_block0")
    for block in range(1, blocks):
        x = _gather(x, f"{name}_block{block}")
    return x


def _gather(x: Any, name: str) -> Any:
    """Gather-and-expansion block: 3x3, depthwise to six times the channels, 1x1 back."""
    skip = x
    x = conv_norm(x, skip.shape[-1], 3, f"{name}_gather")
    x = depthwise_norm(x, f"{name}_expand", depth_multiplier=EXPANSION)
    x = conv_norm(x, skip.shape[-1], 1, f"{name}_project", activation=None)
    return activate(keras.layers.Add(name=f"{name}_add")([skip, x]), name)


def _gather_down(x: Any, width: int, name: str) -> Any:
    """The same at half the size: two depthwise convolutions, and one in the skip."""
    skip = depthwise_norm(x, f"{name}_skip_depthwise", strides=2, activation=None)
    skip = conv_norm(skip, width, 1, f"{name}_skip", activation=None)
    x = conv_norm(x, x.shape[-1], 3, f"{name}_gather")
    x = depthwise_norm(x, f"{name}_expand", depth_multiplier=EXPANSION, strides=2, activation=None)
    x = depthwise_norm(x, f"{name}_depthwise")
    x = conv_norm(x, width, 1, f"{name}_project", activation=None)
    return activate(keras.layers.Add(name=f"{name}_add")([skip, x]), name)


def _context(x: Any, name: str) -> Any:
    """Context embedding: adds the average over the image to each place."""
    average = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_average")(x)
    average = conv_norm(norm(average, f"{name}_average"), x.shape[-1], 1, f"{name}_embed")
    return conv_norm(keras.layers.Add(name=f"{name}_add")([x, average]), x.shape[-1], 3, name)


def _aggregated(detail: Any, context: Any, name: str) -> Any:
    """Bilateral guided aggregation: each branch gates the other, at the size of both."""
    width = detail.shape[-1]
    near = depthwise_norm(detail, f"{name}_near_depthwise", activation=None)
    near = conv(near, width, 1, f"{name}_near")
    gate = conv_norm(context, width, 3, f"{name}_near_gate", activation=None)
    near = _gated(near, ResizeLike(name=f"{name}_near_upsample")([gate, detail]), f"{name}_near")
    far = conv_norm(detail, width, 3, f"{name}_far", strides=2, activation=None)
    far = keras.layers.AveragePooling2D(3, 2, "same", name=f"{name}_far_pool")(far)
    gate = depthwise_norm(context, f"{name}_far_depthwise", activation=None)
    far = _gated(far, conv(gate, width, 1, f"{name}_far_gate"), f"{name}_far")
    far = ResizeLike(name=f"{name}_far_upsample")([far, detail])
    return conv_norm(keras.layers.Add(name=f"{name}_add")([near, far]), width, 3, name)


def _gated(x: Any, gate: Any, name: str) -> Any:
    gate = keras.layers.Activation("sigmoid", name=f"{name}_sigmoid")(gate)
    return keras.layers.Multiply(name=f"{name}_gated")([x, gate])
