"""The networks as their authors describe them: options, and the parameter counts they state."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Variant(NamedTuple):
    """A network with options.

    Attributes:
      network: its name in ``NETWORKS``.
      options: its options.
      num_classes: number of classes that the stated count is for.
      millions: stated trainable parameters in millions; None where no statement was found.
      source: who states it, and why it differs if it does.
    """

    network: str
    options: Mapping[str, Any]
    num_classes: int
    millions: float | None
    source: str

    @property
    def label(self) -> str:
        """Name and options, as one would write them in an experiment."""
        return " ".join([self.network, *(f"{key}={value}" for key, value in self.options.items())])


VARIANTS = (
    Variant(
        "resnet_baseline",
        {"base_width": 8},
        20,
        0.503,
        "PARIS-sem-seg's reduced model, computed from its layers",
    ),
    Variant(
        "resnet_baseline",
        {"base_width": 48},
        19,
        17.96,
        "PARIS-sem-seg's full model, computed from its layers",
    ),
    Variant(
        "sq",
        {"reading": "strided"},
        19,
        16.26,
        "Efficient-Segmentation-Networks' SQNet, computed from its layers (143.9 GMAC)",
    ),
    Variant(
        "sq",
        {"reading": "full_resolution"},
        34,
        14.04,
        "AutoSeg's SQ, computed from its layers",
    ),
    Variant("sq_stereo", {}, 19, None, "ours: SQ with a second encoder"),
    Variant("mobilenet_v1", {}, 19, None, "no count found for P12-Semantic-Segmentation"),
    Variant("mobilenet_v2", {}, 19, None, "no count found for this decoder"),
    Variant(
        "unet",
        {},
        2,
        31.04,
        "widespread count of U-Net with batch norm and transposed convolutions (31,037,698)",
    ),
    Variant(
        "enet",
        {},
        19,
        0.37,
        "the paper; 0.367 with the biases and the encoder's own classifier of its authors' code",
    ),
    Variant("dabnet", {}, 19, 0.76, "the paper"),
    Variant(
        "fast_scnn",
        {},
        19,
        1.11,
        "the paper; the layers of its table 1 add up to 1.14 here",
    ),
    Variant(
        "bisenet_v2",
        {},
        19,
        2.27,
        "zh320's version, narrower in its head and aggregation: compared below",
    ),
    Variant("ddrnet", {}, 19, 5.7, "the paper: DDRNet-23-slim (36.3 GMAC at 1024x2048)"),
    Variant("pidnet", {}, 19, 7.6, "the paper: PIDNet-S (47.6 GMAC at 1024x2048)"),
    Variant(
        "swiftnet",
        {},
        19,
        None,
        "ours: the ladder of the paper on EfficientNet-Lite0; on MobileNetV2 it states 2.4",
    ),
    Variant("color_position", {}, 11, None, "ours: the floor, a pixel's colour and position"),
)
