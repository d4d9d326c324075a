"""Image classifiers without their ends: encoders whose weights were learnt on ImageNet.

EfficientNet-Lite is the published network of Google's TPU repository (Apache-2.0): EfficientNet
(Tan and Le, ICML 2019, arXiv 1905.11946) with ReLU6 and without squeeze-and-excitation, stem and
last stage of one width in all sizes. MobileNetV2 is table 2 of Sandler et al., CVPR 2018. Both pad
as TensorFlow does ("same": more at the bottom and right where strides are 2), and so do these.

Layers are called ``encoder_stem``, ``encoder_blockN_expand``, ``encoder_blockN_depthwise`` and
``encoder_blockN_project``, each with a ``..._norm``: patterns of layers that stay frozen, and
weights of other programs, are written in these names.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras

from semseg.networks.blocks import conv, depthwise, norm

STEM_WIDTH = 32
NORM: dict[str, Any] = {"epsilon": 1e-3, "momentum": 0.99}
"""Epsilon as in the published networks; the momentum suits batches of a few images."""


class Stage(NamedTuple):
    """Inverted residual blocks of one width; the first of them has the strides.

    Attributes:
      expansion: times the channels between the two 1x1 convolutions.
      kernel: height and width of the depthwise kernel.
      strides: of the first block.
      width: channels of the result.
      blocks: how many.
    """

    expansion: int
    kernel: int
    strides: int
    width: int
    blocks: int


class Encoder(NamedTuple):
    """A published classifier.

    Attributes:
      stages: in order, after the stem.
      scale: the network saw images as ``scale * image + offset``, of values 0..255.
      offset: likewise.
    """

    stages: tuple[Stage, ...]
    scale: float
    offset: float

    def blocks(self) -> Iterator[tuple[Stage, int]]:
        """Yields the stage and the strides of each block."""
        for stage in self.stages:
            for index in range(stage.blocks):
                yield stage, 1 if index else stage.strides


def _lite(widths: tuple[int, ...], blocks: tuple[int, ...]) -> Encoder:
    expansions, kernels, strides = (
        (1, 6, 6, 6, 6, 6, 6),
        (3, 3, 5, 3, 5, 5, 3),
        (1, 2, 2, 2, 1, 2, 1),
    )
    stages = map(Stage, expansions, kernels, strides, widths, blocks)
    return Encoder(tuple(stages), scale=1 / 128, offset=-127 / 128)


ENCODERS = {
    "efficientnet_lite0": _lite((16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1)),
    "efficientnet_lite1": _lite((16, 24, 40, 80, 112, 192, 320), (1, 3, 3, 4, 4, 5, 1)),
    "efficientnet_lite2": _lite((16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1)),
    "mobilenet_v2": Encoder(
        (
            Stage(1, 3, 1, 16, 1),
            Stage(6, 3, 2, 24, 2),
            Stage(6, 3, 2, 32, 3),
            Stage(6, 3, 2, 64, 4),
            Stage(6, 3, 1, 96, 3),
            Stage(6, 3, 2, 160, 3),
            Stage(6, 3, 1, 320, 1),
        ),
        scale=1 / 127.5,
        offset=-1.0,
    ),
}
"""The encoders by the names that experiments use."""


def encode(image: Any, name: str, blocks: int = 0) -> list[Any]:
    """Runs an encoder.

    Args:
      image: [N, H, W, channels], 0..255, of any size.
      name: one of ``ENCODERS``.
      blocks: how many of its blocks there are; 0 has all.

    Returns:
      The last features of each scale, [N, h, w, C], from 1/2 of the image on.

    Raises:
      ValueError: there is no such encoder, or it has fewer blocks.
    """
    if name not in ENCODERS:
        raise ValueError(f"encoder is one of {', '.join(ENCODERS)}, found '{name}'")
    encoder = ENCODERS[name]
    published = list(encoder.blocks())
    if blocks > len(published):
        raise ValueError(f"blocks: {name} has {len(published)} blocks, found {blocks}")
    x = keras.layers.Rescaling(encoder.scale, offset=encoder.offset, name="scale")(image)
    x = conv(x, STEM_WIDTH, 3, "encoder_stem", strides=2)
    x = norm(x, "encoder_stem", "relu6", **NORM)
    scales = []
    for index, (stage, strides) in enumerate(published[: blocks or None]):
        if strides > 1:
            scales.append(x)
        x = _block(x, stage, strides, f"encoder_block{index}")
    return [*scales, x]


def _block(x: Any, stage: Stage, strides: int, name: str) -> Any:
    skip = x
    if stage.expansion > 1:
        x = conv(x, stage.expansion * x.shape[-1], 1, f"{name}_expand")
        x = norm(x, f"{name}_expand", "relu6", **NORM)
    x = depthwise(x, stage.kernel, f"{name}_depthwise", strides=strides)
    x = norm(x, f"{name}_depthwise", "relu6", **NORM)
    x = norm(conv(x, stage.width, 1, f"{name}_project"), f"{name}_project", **NORM)
    if strides > 1 or skip.shape[-1] != stage.width:
        return x
    return keras.layers.Add(name=f"{name}_add")([skip, x])
