"""The ends of a network: logits for each head, and auxiliary outputs that training alone sees.

A head is one class table: a network that learns from several datasets at once has one head for
each. Its outputs are

- one tensor, if ``num_classes`` is a number and there are no auxiliary outputs;
- else a dict: ``HEAD`` -> logits for each head, ``HEAD_aux0``, ``HEAD_aux1``, ... for its
  auxiliary outputs, and ``HEAD_boundary``, one logit for each pixel, for an auxiliary output that
  tells the boundaries between classes, and ``HEAD_teacher``, the logits of every second pixel,
  which learn soft labels (``with_teacher``). The only head of a network that was given a number is
  called ``logits``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import keras

from semseg.networks.layers import CropLike, EverySecondPixel, ResizeLike

NumClasses: TypeAlias = int | Mapping[str, int]
"""The number of classes, or that of each head by the head's name."""
Classifier: TypeAlias = Callable[[int, str], Any]
"""Makes logits at the size of the image from a number of classes and the name of its layer."""

ONLY_HEAD = "logits"
_AUXILIARY = re.compile(r"(.+)_(?:aux\d+|boundary|teacher)")


def heads(
    num_classes: NumClasses,
    main: Classifier,
    auxiliary: Sequence[Classifier] = (),
    boundary: Classifier | None = None,
) -> Any:
    """Ends a network.

    Args:
      num_classes: as the network function was given it.
      main: makes the logits that are frozen.
      auxiliary: make the logits that only add to the loss.
      boundary: makes the logit of a boundary, which only adds to the loss too.

    Returns:
      The outputs as the module says. Layers are called ``logits`` or ``logits_HEAD``, those of
      auxiliary outputs ``aux0_logits``, ``boundary_logits`` and so on.
    """
    named = num_classes if isinstance(num_classes, Mapping) else {ONLY_HEAD: num_classes}
    outputs = {}
    for head, count in named.items():
        layer = "logits" if named is not num_classes else f"logits_{head}"
        outputs[head] = main(count, layer)
        for index, classifier in enumerate(auxiliary):
            outputs[auxiliary_name(head, index)] = classifier(count, f"aux{index}_{layer}")
        if boundary is not None:
            outputs[boundary_name(head)] = boundary(1, f"boundary_{layer}")
    return outputs[ONLY_HEAD] if list(outputs) == [ONLY_HEAD] else outputs


def resized(features: Any, image: Any) -> Classifier:
    """Classifies each position of ``features``, then resizes to ``image`` bilinearly."""
    return lambda count, name: ResizeLike(dtype="float32", name=f"{name}_upsample")(
        [classify(features, count, name), image]
    )


def cropped(features: Any, image: Any, kernel: int = 3) -> Classifier:
    """Classifies features at the size of the padded image, then crops to ``image``."""
    return lambda count, name: CropLike(dtype="float32", name=f"{name}_crop")(
        [classify(features, count, name, kernel), image]
    )


def doubled(features: Any, image: Any, kernel: int) -> Classifier:
    """Classifies by a transposed convolution to twice the size, then crops to ``image``."""
    return lambda count, name: CropLike(dtype="float32", name=f"{name}_crop")(
        [
            keras.layers.Conv2DTranspose(
                count, kernel, 2, padding="same", dtype="float32", name=name
            )(features),
            image,
        ]
    )


def classify(features: Any, count: int, name: str, kernel: int = 1) -> Any:
    """Convolves to ``count`` logits, in float32 whatever the precision before."""
    return keras.layers.Conv2D(count, kernel, padding="same", dtype="float32", name=name)(features)


def auxiliary_name(head: str, index: int) -> str:
    """Returns the name of an auxiliary output."""
    return f"{head}_aux{index}"


def boundary_name(head: str) -> str:
    """Returns the name of the output that tells a head's boundaries."""
    return f"{head}_boundary"


def is_boundary(output: str) -> bool:
    """Whether an output tells boundaries, not classes."""
    return output == boundary_name(head_of(output))


def teacher_name(head: str) -> str:
    """Returns the name of the output that learns the soft labels of a head's classes."""
    return f"{head}_teacher"


def is_teacher(output: str) -> bool:
    """Whether an output learns soft labels."""
    return output == teacher_name(head_of(output))


def head_of(output: str) -> str:
    """Returns the head whose labels an output learns: ``camvid`` for ``camvid_aux1``."""
    match = _AUXILIARY.fullmatch(output)
    return match.group(1) if match else output


def with_teacher(model: keras.Model, head: str) -> keras.Model:
    """Returns a model with one more output, which learns soft labels of a head's classes.

    Every second pixel of each axis has logits there: the loss then costs a quarter. The output
    adds no variable.

    Args:
      model: a network as its function built it.
      head: the head.

    Returns:
      The model with a dict of outputs; the same layers, with the same weights.
    """
    outputs = model.output if isinstance(model.output, dict) else {ONLY_HEAD: model.output}
    name = teacher_name(head)
    thinned = EverySecondPixel(dtype="float32", name=name)(outputs[head])
    return keras.Model(model.input, {**outputs, name: thinned}, name=model.name)


def without_auxiliary(model: keras.Model) -> keras.Model:
    """Returns the part of a model that is frozen, with the same weights.

    Args:
      model: a network as its function built it.

    Returns:
      The model without its auxiliary outputs and the layers that only they need: with one output
      tensor if the network was given a number of classes, else with a dict by head.
    """
    if not isinstance(model.output, dict):
        return model
    outputs = {name: value for name, value in model.output.items() if head_of(name) == name}
    only = outputs[ONLY_HEAD] if list(outputs) == [ONLY_HEAD] else outputs
    return keras.Model(model.input, only, name=model.name)
