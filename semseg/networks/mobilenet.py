"""MobileNet V1 and V2 as encoders for segmentation: dilated beyond stride 16, skips at 8 and 4.

Sources: Howard et al., "MobileNets", 2017 (arXiv 1704.04861); Sandler et al., "MobileNetV2",
CVPR 2018, table 2. The rest is that of the project P12-Semantic-Segmentation for the KITTI road
data: 1x1 predictions at strides 16, 8 and 4, normalised, upsampled bilinearly and added. V1 has
the ReLU6 of its TensorFlow version. Widths other than 1 give any whole number of channels, where
published weights have multiples of 8.
"""

from collections.abc import Sequence
from typing import Any

import keras

from semseg.networks.blocks import (
    conv,
    conv_norm,
    image_input,
    inverted_residual,
    norm,
    scaled,
    separable_norm,
)
from semseg.networks.heads import Classifier, NumClasses, heads
from semseg.networks.layers import ResizeLike

STEM_WIDTH = 32
V1_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2))
"""(width, strides) of the blocks before the dilated ones."""
V1_DILATED_WIDTH = 512
V2_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1))
"""(expansion, width, blocks, strides of the first) of the stages before the dilated ones."""
V2_DILATED_WIDTHS = (160, 160, 160, 320)


def mobilenet_v1(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    width: float = 1.0,
    rates: tuple[int, ...] = (1, 1, 2, 4, 4),
) -> keras.Model:
    """Builds the network on MobileNet V1, without the blocks of stride 32.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      width: factor on the published number of channels of every layer.
      rates: dilation rates of the depthwise convolutions of blocks 7, 8, ...: one block each.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.
    """
    image, x = image_input(channels)
    x = conv_norm(x, scaled(width, STEM_WIDTH), 3, "stem", strides=2, activation="relu6")
    scales = []
    for index, (published, strides) in enumerate(V1_BLOCKS, start=1):
        if strides > 1:
            scales.append(x)
        x = separable_norm(
            x, scaled(width, published), f"block{index}", strides=strides, activation="relu6"
        )
    for index, rate in enumerate(rates, start=len(V1_BLOCKS) + 1):
        x = separable_norm(
            x,
            scaled(width, V1_DILATED_WIDTH),
            f"block{index}",
            dilation_rate=rate,
            activation="relu6",
        )
    _, quarter, eighth = scales
    main = _summed([x, eighth, quarter], image)
    return keras.Model(image, heads(num_classes, main), name="mobilenet_v1")


def mobilenet_v2(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    width: float = 1.0,
    rates: tuple[int, int, int, int] = (1, 2, 2, 2),
) -> keras.Model:
    """Builds the network on MobileNet V2, without its last 1x1 convolution.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      width: factor on the published number of channels of every layer.
      rates: dilation rates of the last four blocks, which stay at stride 16.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.
    """
    image, x = image_input(channels)
    x = conv_norm(x, scaled(width, STEM_WIDTH), 3, "stem", strides=2, activation="relu6")
    scales = []
    for stage, (expansion, published, blocks, first) in enumerate(V2_STAGES):
        if first > 1:
            scales.append(x)
        for block in range(blocks):
            x = inverted_residual(
                x,
                scaled(width, published),
                f"stage{stage}_block{block}",
                expansion=expansion,
                strides=1 if block else first,
                activation="relu6",
            )
    for block, (published, rate) in enumerate(zip(V2_DILATED_WIDTHS, rates, strict=True)):
        x = inverted_residual(
            x,
            scaled(width, published),
            f"dilated_block{block}",
            dilation_rate=rate,
            activation="relu6",
        )
    _, quarter, eighth = scales
    main = _summed([x, eighth, quarter], image)
    return keras.Model(image, heads(num_classes, main), name="mobilenet_v2")


def _summed(scales: Sequence[Any], image: Any) -> Classifier:
    """Predicts from each scale, the deepest first, and adds each to the upsampled ones before."""

    def classifier(count: int, name: str) -> Any:
        deepest, *finer = scales
        x = _prediction(deepest, count, name)
        for index, features in enumerate(finer):
            x = ResizeLike(dtype="float32", name=f"{name}_upsample{index}")([x, features])
            skip = _prediction(features, count, f"{name}_skip{index}")
            x = keras.layers.Add(dtype="float32", name=f"{name}_add{index}")([x, skip])
        return ResizeLike(dtype="float32", name=f"{name}_upsample")([x, image])

    return classifier


def _prediction(x: Any, count: int, name: str) -> Any:
    return norm(conv(x, count, 1, name, dtype="float32"), name, dtype="float32")
