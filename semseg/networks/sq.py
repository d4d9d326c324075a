"""SQ: the SqueezeNet-like network of Treml et al., for one image or a stereo pair.

Source: Treml et al., "Speeding up Semantic Segmentation for Autonomous Driving", NIPS 2016
workshop. Two readings of it are public and disagree; both are here, without batch norm as they
are: ``strided`` (Efficient-Segmentation-Networks, close to the paper, 16.26 M parameters for 19
classes) begins at half resolution, ``full_resolution`` (AutoSeg, 14.04 M for 34) at full. AutoSeg
drops 0.2 to 0.4 of the features and decays kernels by 2e-4; here that is up to the experiment.
"""

from typing import Any, Literal, NamedTuple

import keras

from semseg.networks.blocks import activate, conv, image_input, scaled
from semseg.networks.heads import Classifier, NumClasses, classify, doubled, heads
from semseg.networks.layers import CropLike, PadToMultiple


class _Reading(NamedTuple):
    """One reading of the paper.

    Attributes:
      stem: channels of the first convolution.
      strides: its strides.
      fires: (squeezed, expanded) channels of the fire modules; pooling stands before each group.
      rates: dilation rates of the parallel convolutions.
    """

    stem: int
    strides: int
    fires: tuple[tuple[tuple[int, int], ...], ...]
    rates: tuple[int, ...]


READINGS = {
    "strided": _Reading(96, 2, (((16, 64),) * 2, ((32, 128),) * 2, ((64, 256),) * 3), (1, 2, 3, 4)),
    "full_resolution": _Reading(
        64,
        1,
        (((16, 64),) * 2, ((32, 128),) * 2, ((48, 192),) * 2 + ((64, 256),) * 2),
        (1, 2, 4, 8),
    ),
}
PARALLEL_WIDTH = 512
Reading = Literal["strided", "full_resolution"]


def sq(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    reading: Reading = "strided",
    width: float = 1.0,
    rates: tuple[int, ...] | None = None,
    dropout: float = 0.0,
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      reading: which reading of the paper.
      width: factor on the published number of channels of every layer.
      rates: dilation rates of the parallel convolutions; None takes the reading's.
      dropout: share of features that is dropped after each refinement, in training.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.
    """
    image, x = image_input(channels)
    skips, x = _encoder(x, READINGS[reading], width, "")
    x = _parallel(x, scaled(width, PARALLEL_WIDTH), rates or READINGS[reading].rates)
    main = _decoder(x, skips, image, reading, dropout)
    return keras.Model(image, heads(num_classes, main), name="sq")


def sq_stereo(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    reading: Reading = "strided",
    width: float = 1.0,
    rates: tuple[int, ...] | None = None,
    dropout: float = 0.0,
) -> keras.Model:
    """Builds SQ with a branch for each image of a stereo pair, which meet at the lowest resolution.

    The left branch, its skips and the decoder have the names of ``sq``, whose weights fit them.

    Args:
      num_classes: as for ``sq``, like all options.
      channels: channels of each image.
      reading: which reading of the paper.
      width: factor on the published number of channels of every layer.
      rates: dilation rates of the parallel convolutions; None takes the reading's.
      dropout: share of features that is dropped after each refinement, in training.

    Returns:
      A model from [image, right], both [N, H, W, channels], 0..255 and rectified, to the logits
      of ``image``, the left one: [N, H, W, num_classes], see ``heads``.
    """
    image, left = image_input(channels)
    right_image, right = image_input(channels, "right")
    skips, left = _encoder(left, READINGS[reading], width, "")
    _, right = _encoder(right, READINGS[reading], width, "right_")
    both = keras.layers.Concatenate(name="fusion_concat")([left, right])
    x = _elu_conv(both, left.shape[-1], 1, "fusion")
    x = _parallel(x, scaled(width, PARALLEL_WIDTH), rates or READINGS[reading].rates)
    main = _decoder(x, skips, image, reading, dropout)
    return keras.Model([image, right_image], heads(num_classes, main), name="sq_stereo")


def _encoder(x: Any, reading: _Reading, width: float, prefix: str) -> tuple[list, Any]:
    """Returns the features that the decoder takes up again, and the deepest ones.

    With a stem of stride 2 these are the features before each pooling, else those after it.
    """
    x = PadToMultiple(2 ** len(reading.fires) * reading.strides, name=f"{prefix}pad")(x)
    x = _elu_conv(x, scaled(width, reading.stem), 3, f"{prefix}stem", strides=reading.strides)
    skips = []
    for stage, fires in enumerate(reading.fires):
        before, x = x, keras.layers.MaxPooling2D(name=f"{prefix}pool{stage}")(x)
        skips.append(before if reading.strides > 1 else x)
        for index, (squeezed, expanded) in enumerate(fires):
            name = f"{prefix}fire{stage}_{index}"
            x = _fire(x, scaled(width, squeezed), scaled(width, expanded), name)
    return skips, x


def _fire(x: Any, squeezed: int, expanded: int, name: str) -> Any:
    x = _elu_conv(x, squeezed, 1, f"{name}_squeeze")
    expansions = [_elu_conv(x, expanded, kernel, f"{name}_expand{kernel}") for kernel in (1, 3)]
    return keras.layers.Concatenate(name=f"{name}_concat")(expansions)


def _decoder(x: Any, skips: list, image: Any, reading: Reading, dropout: float) -> Classifier:
    for level, skip in reversed(list(enumerate(skips))):
        if reading == "strided":
            x = _transposed(x, skip.shape[-1], f"up{level}")
            x = _refined(x, skip, 2 * skip.shape[-1], dropout, f"refine{level}")
        else:
            x = _refined(x, skip, skip.shape[-1], dropout, f"refine{level}")
            x = _transposed(x, skip.shape[-1], f"up{level}")
    if reading == "strided":
        return doubled(x, image, kernel=3)
    return lambda count, name: CropLike(dtype="float32", name=f"{name}_crop")(
        [classify(x, count, name), image]
    )


def _parallel(x: Any, width: int, rates: tuple[int, ...]) -> Any:
    """Sums convolutions of several dilation rates: context without further downsampling."""
    views = [
        _elu_conv(x, width, 3, f"parallel{index}", dilation_rate=rate)
        for index, rate in enumerate(rates)
    ]
    return keras.layers.Add(name="parallel_add")(views) if len(views) > 1 else views[0]


def _refined(x: Any, skip: Any, width: int, dropout: float, name: str) -> Any:
    skip = _elu_conv(skip, skip.shape[-1], 3, f"{name}_skip")
    x = keras.layers.Concatenate(name=f"{name}_concat")([skip, x])
    x = _elu_conv(x, width, 3, name)
    return keras.layers.Dropout(dropout, seed=0, name=f"{name}_dropout")(x) if dropout else x


def _transposed(x: Any, width: int, name: str) -> Any:
    x = keras.layers.Conv2DTranspose(
        width, 3, 2, padding="same", kernel_initializer="he_normal", name=name
    )(x)
    return activate(x, name, "elu")


def _elu_conv(x: Any, width: int, kernel: int, name: str, **options: Any) -> Any:
    return activate(conv(x, width, kernel, name, use_bias=True, **options), name, "elu")
