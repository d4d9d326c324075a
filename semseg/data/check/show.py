"""Contact sheets: a dataset, and what augmentation makes of it, as a person sees them."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

import cv2
import numpy as np

from semseg.classes import ClassTable
from semseg.data.batches.augmentation import AugmentationConfig
from semseg.data.batches.batches import Batch, SampleSource, batches
from semseg.data.samples.samples import Sample, spread
from semseg.errors import DatasetError, ImageError
from semseg.runtime.images.geometry import resize_image
from semseg.runtime.images.render import colorize, legend, overlay, sheet

EXAMPLE_STRENGTHS = AugmentationConfig(
    crop=(192, 256),
    flip=1.0,
    zoom=(0.5, 2.0),
    rotation_deg=15.0,
    shear_deg=20.0,
    shadow=0.7,
    illumination=0.5,
    blur_px=3.0,
    noise=0.1,
    hue_deg=60.0,
    saturation=0.9,
    gamma=0.2,
    contrast=0.3,
    brightness=0.2,
    jpeg=0.97,
    class_mix=0.5,
)
"""Each augmentation strong enough to be seen."""

_COLUMNS = 6
_MARGIN = 6
_TILE_WIDTH = 256

_Tile = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""image uint8 (h, w, 3), labels uint8 (h, w) and second input, see ``Batch``."""


def dataset_sheet(samples: Sequence[Sample], classes: ClassTable, count: int = 6) -> np.ndarray:
    """Draws image, overlay, colours and any second input of samples spread over a split.

    Args:
      samples: the split's samples; one that cannot be read is left out.
      classes: the class table.
      count: how many samples to show.

    Returns:
      uint8 (H, W, 3) RGB, with a legend.
    """
    rows = []
    for sample in spread(samples, count):
        try:
            (image, labels), second = sample.read(), sample.read_second()
        except (DatasetError, ImageError):
            continue
        rows.append([image, overlay(image, labels, classes), colorize(labels, classes)])
        if second is not None:
            rows[-1].append(_visible(second))
    titles = ["image", "overlay", "labels", "second input"]
    return _with_legend(sheet(rows, titles[: max(map(len, rows), default=3)]), classes)


def augmentation_sheet(
    samples: Sequence[Sample], classes: ClassTable, config: AugmentationConfig, draws: int = 3
) -> np.ndarray:
    """Draws one sample under each augmentation alone and under all, and whole batches below.

    Args:
      samples: the split's samples; the middle one is augmented, classes of the first are mixed in.
      classes: the class table.
      config: the strength of each augmentation.
      draws: random versions of each, and number of batches.

    Returns:
      uint8 (H, W, 3) RGB: for each augmentation an image and an overlay of each draw, and the
      second input if there is one; then the same rows for each batch as the network gets it.
    """
    shown, partner = samples[len(samples) // 2], samples[0]
    height, width = shown.read_labels().shape
    plain = AugmentationConfig(crop=(height, width), flip=0.0)
    configs = {"unchanged": plain, **single_augmentations(config, plain), "all": config}
    names = list(configs)
    parts = []
    for first in range(0, len(names), _COLUMNS):
        line = names[first : first + _COLUMNS]
        columns = [
            _draw(shown, partner, configs[name], draws, seed)
            for seed, name in enumerate(line, start=first)
        ]
        parts.append(sheet(_rows(zip(*columns, strict=True), classes), line))
    stream = islice(batches(SampleSource(samples), config, _COLUMNS, seed=0), draws)
    parts.append(
        sheet(_rows(map(_tiles, stream), classes), [f"{draws} batches, as the network gets them"])
    )
    return _with_legend(_stack(parts), classes)


def single_augmentations(
    config: AugmentationConfig, plain: AugmentationConfig
) -> dict[str, AugmentationConfig]:
    """Returns, for each augmentation that a configuration uses, one with it alone.

    Args:
      config: the strengths.
      plain: what the others are in each of them.
    """
    unused = AugmentationConfig(flip=0.0)
    return {
        name: plain.model_copy(update={name: value})
        for name, value in config
        if value != getattr(unused, name)
    }


def _draw(
    shown: Sample, partner: Sample, config: AugmentationConfig, draws: int, seed: int
) -> Iterator[_Tile]:
    """Yields versions of one sample out of batches that hold it and its partner."""
    stream = batches(SampleSource([shown, partner], cache=True), config, 2, seed=seed)
    for batch in islice(stream, draws):
        position = batch.names.index(shown.name)
        yield _tiles(batch)[position]


def _tiles(batch: Batch) -> list[_Tile]:
    seconds = [None] * len(batch.images) if batch.second is None else batch.second
    return list(zip(batch.images, batch.labels, seconds, strict=True))


def _rows(groups: Iterable[Iterable[_Tile]], classes: ClassTable) -> list[list[np.ndarray]]:
    """Returns a row of images, one of overlays and any one of second inputs for each group."""
    rows = []
    for group in map(list, groups):
        rows.append([_tile(image) for image, _, _ in group])
        rows.append([_tile(overlay(image, labels, classes)) for image, labels, _ in group])
        seconds = [_tile(_visible(second)) for _, _, second in group if second is not None]
        rows += [seconds] if seconds else []
    return rows


def _visible(second: np.ndarray) -> np.ndarray:
    """Returns a right image as it is, a disparity in colours from near to far, black unknown."""
    if second.dtype == np.uint8:
        return second
    shares = (255 * second / max(float(second.max()), 1.0)).astype(np.uint8)
    colors = cv2.cvtColor(cv2.applyColorMap(shares, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    return np.where(second > 0, colors, np.uint8(0))


def _stack(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Stacks drawings on each other, on white."""
    width = max(part.shape[1] for part in parts)
    margins = [((0, _MARGIN), (0, width - part.shape[1]), (0, 0)) for part in parts]
    padded = map(partial(np.pad, constant_values=255), parts, margins)
    return np.vstack(list(padded))


def _tile(image: np.ndarray) -> np.ndarray:
    height = round(image.shape[0] * _TILE_WIDTH / image.shape[1])
    return resize_image(image, (height, _TILE_WIDTH), "area")


def _with_legend(drawing: np.ndarray, classes: ClassTable) -> np.ndarray:
    return np.hstack([drawing, legend(classes, drawing.shape[0])])
