"""Contact sheets: a dataset, and what augmentation makes of it, as a person sees them."""

from collections.abc import Sequence
from itertools import islice

import numpy as np

from semseg.classes import ClassTable
from semseg.data.augmentation import AugmentationConfig, augment
from semseg.data.batches import SampleSource, batches
from semseg.data.samples import Sample
from semseg.runtime.geometry import resize_image
from semseg.runtime.render import colorize, legend, overlay, sheet

EXAMPLE_STRENGTHS = AugmentationConfig(
    crop=(192, 256),
    flip=1.0,
    zoom=(0.5, 2.0),
    rotation_deg=15.0,
    gamma=0.2,
    brightness=0.2,
    contrast=0.4,
    saturation=0.8,
)
"""Each augmentation strong enough to be seen."""

_TILE_WIDTH = 256
_UNCHANGED = AugmentationConfig(flip=0.0)


def dataset_sheet(samples: Sequence[Sample], classes: ClassTable, count: int = 6) -> np.ndarray:
    """Draws image, overlay and colours of samples spread over a split.

    Args:
      samples: the split's samples.
      classes: the class table.
      count: how many samples to show.

    Returns:
      uint8 (H, W, 3) RGB, with a legend.
    """
    rows = []
    for index in np.unique(np.linspace(0, len(samples) - 1, count).astype(int)):
        image, labels = samples[index].read()
        rows.append([image, overlay(image, labels, classes), colorize(labels, classes)])
    return _with_legend(sheet(rows, ["image", "overlay", "labels"]), classes)


def augmentation_sheet(
    samples: Sequence[Sample], classes: ClassTable, config: AugmentationConfig, draws: int = 3
) -> np.ndarray:
    """Draws one sample under each augmentation alone and under all, and whole batches below.

    Args:
      samples: the split's samples; the middle one is augmented.
      classes: the class table.
      config: the strength of each augmentation.
      draws: random versions of each, and number of batches.

    Returns:
      uint8 (H, W, 3) RGB: a column for each augmentation with an image and an overlay for each
      draw; then an image row and an overlay row for each batch as the network gets it.
    """
    configs = {"unchanged": _UNCHANGED, **single_augmentations(config), "all": config}
    pair = samples[len(samples) // 2].read()
    rng = np.random.default_rng(0)
    drawn = [[augment(*pair, rng, each) for each in configs.values()] for _ in range(draws)]
    stream = batches(SampleSource(samples), config, len(configs), seed=0)
    batched = [
        list(zip(batch.images, batch.labels, strict=True)) for batch in islice(stream, draws)
    ]
    drawing = np.vstack(
        [
            sheet(_rows(drawn, classes), list(configs)),
            sheet(_rows(batched, classes), [f"{draws} batches, as the network gets them"]),
        ]
    )
    return _with_legend(drawing, classes)


def single_augmentations(config: AugmentationConfig) -> dict[str, AugmentationConfig]:
    """Returns, for each augmentation that a configuration uses, one with it alone."""
    used = {
        name: value
        for name, value in config
        if name == "flip" or value != AugmentationConfig.model_fields[name].default
    }
    return {name: _UNCHANGED.model_copy(update={name: value}) for name, value in used.items()}


def _rows(
    groups: Sequence[Sequence[tuple[np.ndarray, np.ndarray]]], classes: ClassTable
) -> list[list[np.ndarray]]:
    """Returns a row of images and a row of overlays for each group."""
    rows = []
    for group in groups:
        rows.append([_tile(image) for image, _ in group])
        rows.append([_tile(overlay(image, labels, classes)) for image, labels in group])
    return rows


def _tile(image: np.ndarray) -> np.ndarray:
    height = round(image.shape[0] * _TILE_WIDTH / image.shape[1])
    return resize_image(image, (height, _TILE_WIDTH), "area")


def _with_legend(drawing: np.ndarray, classes: ClassTable) -> np.ndarray:
    return np.hstack([drawing, legend(classes, drawing.shape[0])])
