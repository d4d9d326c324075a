"""The ResNet baseline of the FRRN paper, as PARIS-sem-seg runs it on robots.

Source: Pohlen et al., "Full-Resolution Residual Networks for Semantic Segmentation in Street
Scenes", CVPR 2017 (the single-stream network they compare with, not the two-stream FRRN). Base
width 48 is the full model of PARIS-sem-seg (17.96 M parameters), 8 its reduced one (0.503 M).
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import keras

from semseg.networks.blocks import activate, conv, depthwise, image_input, norm, pyramid_pooling
from semseg.networks.heads import NumClasses, cropped, heads
from semseg.networks.layers import DoubleSize, PadToMultiple
from semseg.networks.recomputation import Recomputed

DEEPEST_FACTOR, DECODER_FACTOR = 8, 4
"""Most channels of the encoder's and the decoder's scales, in base widths; each doubles to it."""


class _Style(NamedTuple):
    """What all blocks of a network have in common."""

    skips: str
    separable: bool
    bottleneck: bool
    group_count: int | None
    group_width: int | None
    gradient_checkpointing: bool


def resnet_baseline(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    base_width: int = 8,
    encoder_blocks: tuple[int, ...] = (2, 3, 4, 2, 2),
    decoder_blocks: tuple[int, ...] = (2, 2, 2, 2),
    skips: Literal["concat", "add"] = "concat",
    separable: bool = False,
    bottleneck: bool = False,
    group_count: int | None = None,
    group_width: int | None = None,
    pyramid: bool = False,
    gradient_checkpointing: bool = False,
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      base_width: channels at full resolution; the deepest scales have eight times as many.
      encoder_blocks: residual blocks of each scale; a 2x2 pooling stands between two scales.
      decoder_blocks: blocks of each scale on the way back; one scale fewer than in the encoder.
      skips: how the encoder's features join the decoder's; ``add`` projects to their width.
      separable: depthwise separable convolutions instead of normal ones.
      bottleneck: blocks of 1x1, 3x3 and 1x1 convolutions, a quarter as wide inside.
      group_count: number of groups of group normalisation.
      group_width: channels of a group instead; if both are None, batch normalisation.
      pyramid: a PSP block after the encoder.
      gradient_checkpointing: compute the blocks' activations again in the backward pass instead
        of keeping them (``docs/networks.md`` has what this saves).

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.

    Raises:
      ValueError: the decoder does not fit the encoder, groups do not divide the channels, or
        both their number and their width are given.
    """
    if len(decoder_blocks) != len(encoder_blocks) - 1:
        raise ValueError(
            f"decoder_blocks has {len(decoder_blocks)} scales, expected {len(encoder_blocks) - 1}: "
            "one fewer than encoder_blocks"
        )
    if group_count is not None and group_width is not None:
        raise ValueError("group_count and group_width say the same; give one of them")
    style = _Style(skips, separable, bottleneck, group_count, group_width, gradient_checkpointing)
    image, x = image_input(channels)
    x = PadToMultiple(2 ** len(decoder_blocks), name="pad")(x)
    x = conv(x, base_width, 3, "stem")
    *scales, x = _encoded(x, base_width, encoder_blocks, style)
    if pyramid:
        x = pyramid_pooling(x, x.shape[-1], "pyramid")
    x = _decoded(x, scales, base_width, decoder_blocks, style)
    main = cropped(_activation(x, style, "head"), image)
    return keras.Model(image, heads(num_classes, main), name="resnet_baseline")


def _encoded(x: Any, base_width: int, blocks: tuple[int, ...], style: _Style) -> list:
    """Returns the features of each scale, the finest first."""
    scales = []
    for depth, count in enumerate(blocks):
        if depth:
            x = keras.layers.MaxPooling2D(name=f"encoder{depth}_pool")(x)
        width = min(2**depth, DEEPEST_FACTOR) * base_width
        x = _stage(x, width, count, style, f"encoder{depth}")
        scales.append(x)
    return scales


def _decoded(x: Any, scales: list, base_width: int, blocks: tuple[int, ...], style: _Style) -> Any:
    """Brings the deepest features back to full size; joins those of each finer scale."""
    for depth, count in zip(reversed(range(len(scales))), blocks, strict=True):
        x = DoubleSize(name=f"decoder{depth}_upsample")(x)
        x = _joined(x, scales[depth], style.skips, f"decoder{depth}")
        width = min(2**depth, DECODER_FACTOR) * base_width
        x = _stage(x, width, count, style, f"decoder{depth}")
    return x


def _joined(x: Any, skip: Any, how: str, name: str) -> Any:
    if how == "concat":
        return keras.layers.Concatenate(name=f"{name}_concat")([x, skip])
    if x.shape[-1] != skip.shape[-1]:
        x = conv(x, skip.shape[-1], 1, f"{name}_project")
    return keras.layers.Add(name=f"{name}_add")([x, skip])


def _stage(x: Any, width: int, blocks: int, style: _Style, name: str) -> Any:
    for index in range(blocks):
        x = _maybe_recomputed(x, width, style, f"{name}_block{index}")
    return x


def _maybe_recomputed(x: Any, width: int, style: _Style, name: str) -> Any:
    if not style.gradient_checkpointing:
        return _block(x, width, style, name)
    features = keras.Input(x.shape[1:], name=f"{name}_input")
    return Recomputed(features, _block(features, width, style, name), name=name)(x)


def _block(x: Any, width: int, style: _Style, name: str) -> Any:
    """Pre-activation residual block; the skip is projected only where the width changes."""
    skip = x if x.shape[-1] == width else conv(x, width, 1, f"{name}_skip")
    inner = max(1, width // 4)
    layers = ((inner, 1), (inner, 3), (width, 1)) if style.bottleneck else ((width, 3), (width, 3))
    for index, (channels, kernel) in enumerate(layers):
        x = _activation(x, style, f"{name}_{index}")
        convolution: Callable = _separable if style.separable and kernel > 1 else conv
        x = convolution(x, channels, kernel, f"{name}_{index}_conv")
    return keras.layers.Add(name=f"{name}_add")([skip, x])


def _separable(x: Any, width: int, kernel: int, name: str) -> Any:
    return conv(depthwise(x, kernel, f"{name}_depthwise"), width, 1, name)


def _activation(x: Any, style: _Style, name: str) -> Any:
    count, width = style.group_count, style.group_width
    if count is None and width is None:
        return norm(x, name, "relu")
    groups = count if width is None else width and x.shape[-1] // width
    if not groups or x.shape[-1] % groups:
        raise ValueError(
            f"{name} has {x.shape[-1]} channels, which groups of group normalisation do not "
            f"divide: group_count {count}, group_width {width}"
        )
    x = keras.layers.GroupNormalization(groups, epsilon=1e-5, name=f"{name}_norm")(x)
    return activate(x, name)
