"""Writes a dataset smaller, once, so that training need not read large files again and again.

The result is a folder with the samples, a declaration ``dataset.yaml`` that reads them, and
``manifest.json``, which says how it was made. Labels are downscaled by a vote of the pixels. Raw
ids are the source's labels: the votes of raw ids that mean one class are counted together. The
samples are a tree of files, ``images/SPLIT/NAME.png`` and ``labels/SPLIT/NAME.png``, or TFRecord
shards; second inputs lie beside the images.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import yaml
from pydantic import Field

from semseg.classes import IGNORE
from semseg.data.declarations.specs import UNITS_PER_PIXEL, DatasetSpec, SecondKind
from semseg.data.declarations.strict_yaml import StrictModel
from semseg.data.files.parallel import map_with_progress
from semseg.data.files.tfrecords import (
    EncodedSample,
    has_index,
    read_index,
    write_example,
    write_records,
)
from semseg.data.samples.samples import Sample
from semseg.data.samples.second import replaced
from semseg.errors import ConfigError, DatasetError, ImageError
from semseg.files import encode_jpeg, encode_png, write_file
from semseg.runtime.images.geometry import resize_image, resize_labels

_RIGHT, _RIGHT_LABELS = {"images/": "right/"}, {"labels/": "right_labels/"}
_DISPARITY = {"images/": "disparity/", ".jpg": ".png"}


def encode_second(
    sample: Sample,
    downscale: int,
    encode_image: Callable[[np.ndarray], bytes],
    encode_labels: Callable[[np.ndarray], bytes],
) -> dict[str, bytes]:
    """Encodes what a sample has beside image and labels.

    Args:
      sample: the sample.
      downscale: what height and width are divided by.
      encode_image: returns the file of an image, downscaled.
      encode_labels: returns the file of labels, downscaled.

    Returns:
      Field of ``EncodedSample`` -> content.
    """
    second, right_labels = sample.read_second(), sample.read_right_labels()
    parts = {}
    if second is not None and second.dtype == np.uint8:
        parts["right"] = encode_image(second)
    elif second is not None:
        parts["disparity"] = encode_png(_small_disparity(second[..., 0], downscale))
    if right_labels is not None:
        parts["right_labels"] = encode_labels(right_labels)
    return parts


def second_paths(image_path: str, label_path: str) -> dict[str, str | None]:
    """Returns where a tree has them: field of ``EncodedSample`` -> path.

    Args:
      image_path: of the image in the prepared dataset.
      label_path: of its labels.
    """
    return {
        "right": replaced(image_path, _RIGHT),
        "right_labels": replaced(label_path, _RIGHT_LABELS),
        "disparity": replaced(image_path, _disparity_of(image_path)),
    }


def second_declaration(output: Path, image_format: str) -> dict[str, Any]:
    """Returns the key ``second`` of a prepared dataset's declaration, for what was written."""
    second: dict[str, Any] = {}
    if (output / "right").is_dir():
        labels = _RIGHT_LABELS if (output / "right_labels").is_dir() else None
        second["right"] = {"replace": _RIGHT, "replace_labels": labels}
    if (output / "disparity").is_dir():
        second["disparity"] = {"replace": _disparity_of(f".{image_format}")}
    return {"second": second} if second else {}


def _disparity_of(image_path: str) -> dict[str, str]:
    """Returns what makes the path of a disparity of an image's: its folder, and PNG for JPEG."""
    is_jpeg = image_path.endswith(".jpg")
    return {old: new for old, new in _DISPARITY.items() if old != ".jpg" or is_jpeg}


def _small_disparity(disparity: np.ndarray, factor: int) -> np.ndarray:
    """Returns the middle of each block in pixels of the small image, uint16; known is not 0."""
    height, width = (side // factor for side in disparity.shape)
    small = resize_labels(disparity[: height * factor, : width * factor], (height, width))
    values = np.clip(np.rint(small * (UNITS_PER_PIXEL / factor)), 1, 65535)
    return np.where(small > 0, values, 0).astype(np.uint16)


THRESHOLD = 0.75
"""Least share of a block's pixels that the winning label must have."""


def vote_labels(labels: np.ndarray, factor: int, threshold: float = THRESHOLD) -> np.ndarray:
    """Downscales labels: each block becomes the label that three quarters of its pixels have.

    Args:
      labels: uint8 (H, W); ``IGNORE`` votes too.
      factor: side of a block. Rows and columns that fill no block are left out.
      threshold: the share that is needed instead of three quarters; above 0.5, to 1.

    Returns:
      uint8 (H // factor, W // factor), ``IGNORE`` where no label wins.
    """
    height, width = labels.shape[0] // factor, labels.shape[1] // factor
    labels = labels[: height * factor, : width * factor]
    winners = labels[::factor, ::factor].copy()
    mixed = ~_is_uniform(labels, factor)
    blocks = labels.reshape(height, factor, width, factor).swapaxes(1, 2)[mixed]
    pixels = blocks.reshape(-1, factor * factor)
    # A label that more than half of the pixels have is their median.
    median = np.partition(pixels, factor * factor // 2, axis=1)[:, factor * factor // 2]
    votes = (pixels == median[:, np.newaxis]).sum(axis=1)
    winners[mixed] = np.where(votes >= threshold * factor * factor, median, IGNORE)
    return winners


def _is_uniform(labels: np.ndarray, factor: int) -> np.ndarray:
    """Returns which blocks have one label only, bool (h, w): most of them, and quickly found."""
    first = labels[::factor]
    same = np.ones(first.shape, bool)
    for row in range(1, factor):
        same &= labels[row::factor] == first
    uniform = same[:, ::factor].copy()
    for column in range(1, factor):
        uniform &= same[:, column::factor]
        uniform &= first[:, column::factor] == first[:, ::factor]
    return uniform


_DECLARATION, _MANIFEST = "dataset.yaml", "manifest.json"


class Settings(StrictModel):
    """How a dataset is written.

    Attributes:
      downscale: what height and width are divided by; the rest of the division is cut off.
      labels: how labels are downscaled: ``vote`` of each block's pixels, or ``nearest``, the
        pixel in the middle.
      void_threshold: share of a block's pixels below which the winner of a vote is void.
      image_format: of the images; labels are PNG in any case.
      layout: ``tree`` of files, or TFRecord ``shards``.
      second: second input that the samples have and that is written, too.
      shard_size: samples in a shard.
    """

    downscale: Annotated[int, Field(ge=1, le=16)] = 1
    labels: Literal["vote", "nearest"] = "vote"
    void_threshold: Annotated[float, Field(gt=0.5, le=1)] = THRESHOLD
    image_format: Literal["png", "jpg"] = "png"
    layout: Literal["tree", "shards"] = "tree"
    shard_size: Annotated[int, Field(ge=1)] = 256
    second: SecondKind | None = None


class Outcome(NamedTuple):
    """What became of the samples.

    Attributes:
      written: number of samples written by this run.
      reused: number of samples that a former run had written.
      failed: one line for each sample that could not be used.
    """

    written: int
    reused: int
    failed: list[str]


def prepare(
    spec: DatasetSpec,
    splits: Mapping[str, Sequence[Sample]],
    output: str | Path,
    settings: Settings,
    workers: int | None = None,
) -> Outcome:
    """Writes a dataset, or the rest of it if a former run was interrupted.

    Args:
      spec: the dataset's declaration.
      splits: split name -> samples to write.
      output: the folder to write into; empty, or of a former run with the same settings.
      settings: how it is written.
      workers: threads; None takes as many as there are processors.

    Returns:
      What became of the samples.

    Raises:
      ConfigError: the folder holds something else.
      DatasetError: a file cannot be written.
    """
    output = Path(output)
    _claim_folder(output, _manifest(spec, splits, settings))
    write = {"tree": _write_tree, "shards": _write_shards}[settings.layout]
    outcomes = [
        write(output, split, samples, settings, workers) for split, samples in splits.items()
    ]
    # Last, so that a folder with a declaration is a whole dataset.
    text = yaml.safe_dump(_declaration(spec, splits, settings, output), sort_keys=False)
    write_file(output / _DECLARATION, text.encode("utf-8"))
    return Outcome(
        written=sum(outcome.written for outcome in outcomes),
        reused=sum(outcome.reused for outcome in outcomes),
        failed=[line for outcome in outcomes for line in outcome.failed],
    )


def _write_tree(
    output: Path, split: str, samples: Sequence[Sample], settings: Settings, workers: int | None
) -> Outcome:
    def work(sample: Sample) -> str | None:
        encoded = _encode(settings, sample)
        if isinstance(encoded, str):
            return encoded
        for path, data in _tree_files(settings, sample, encoded).items():
            write_file(output / path, data)
        return None

    missing = [
        sample
        for sample in samples
        if not all((output / path).is_file() for path in _paths(settings, sample))
    ]
    failed = [*filter(None, map_with_progress(work, missing, f"preparing {split}", workers))]
    return Outcome(len(missing) - len(failed), len(samples) - len(missing), failed)


def _write_shards(
    output: Path, split: str, samples: Sequence[Sample], settings: Settings, workers: int | None
) -> Outcome:
    shards = {
        output / f"{split}-{first // settings.shard_size:05d}.tfrecord": samples[
            first : first + settings.shard_size
        ]
        for first in range(0, len(samples), settings.shard_size)
    }
    whole = [read_index(path) for path in shards if has_index(path)]
    missing = {path: part for path, part in shards.items() if not has_index(path)}
    items = [sample for part in missing.values() for sample in part]
    encoded = map_with_progress(partial(_encode, settings), items, f"preparing {split}", workers)
    written = [
        write_records(path, _records(islice(encoded, len(part)))) for path, part in missing.items()
    ]
    return Outcome(
        written=sum(len(index.offsets) for index in written),
        reused=sum(len(index.offsets) for index in whole),
        failed=[line for index in [*whole, *written] for line in index.failed],
    )


def _records(encoded: Iterable[EncodedSample | str]) -> Iterator[tuple[str, bytes] | str]:
    for sample in encoded:
        yield sample if isinstance(sample, str) else (sample.name, write_example(sample))


def _paths(settings: Settings, sample: Sample) -> tuple[str, str]:
    """Returns where a tree has a sample's image and labels."""
    return f"images/{sample.name}.{settings.image_format}", f"labels/{sample.name}.png"


def _tree_files(settings: Settings, sample: Sample, encoded: EncodedSample) -> dict[str, bytes]:
    """Returns path -> content of a sample's files.

    The second input's are first, so that a sample with image and labels is whole.
    """
    paths = _paths(settings, sample)
    second = {path: getattr(encoded, part) for part, path in second_paths(*paths).items()}
    files = {path: data for path, data in second.items() if path and data is not None}
    return {**files, paths[0]: encoded.image, paths[1]: encoded.labels}


def _encode(settings: Settings, sample: Sample) -> EncodedSample | str:
    """Returns a sample downscaled and encoded, or why it could not be read."""
    small_image, small_labels = partial(_encode_image, settings), partial(_encode_labels, settings)
    try:
        image, labels = sample.read()
        second = encode_second(sample, settings.downscale, small_image, small_labels)
    except (ImageError, DatasetError) as error:
        return f"{sample.name}: {error}"
    return EncodedSample(sample.name, small_image(image), small_labels(labels), **second)


def _encode_image(settings: Settings, image: np.ndarray) -> bytes:
    covered, size = _whole_blocks(image, settings.downscale)
    encode = encode_png if settings.image_format == "png" else encode_jpeg
    return encode(resize_image(covered, size, "area"))


def _encode_labels(settings: Settings, labels: np.ndarray) -> bytes:
    if settings.labels == "vote":
        return encode_png(vote_labels(labels, settings.downscale, settings.void_threshold))
    return encode_png(resize_labels(*_whole_blocks(labels, settings.downscale)))


def _whole_blocks(pixels: np.ndarray, factor: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Returns the pixels of whole blocks, and how many blocks these are, down and across."""
    height, width = (side // factor for side in pixels.shape[:2])
    return pixels[: height * factor, : width * factor], (height, width)


def _claim_folder(output: Path, manifest: dict[str, Any]) -> None:
    """Makes the folder, or finds that a former run with the same settings made it."""
    path = output / _MANIFEST
    if path.is_file():
        found = _read_manifest(path)
        differing = [key for key in manifest if found.get(key) != manifest[key]]
        if differing:
            raise ConfigError(
                f"{output} was prepared with other settings ({', '.join(differing)}); "
                "choose another folder or remove it"
            )
    elif output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ConfigError(f"{output} exists and was not prepared by this; choose another folder")
    else:
        write_file(path, json.dumps(manifest, indent=2).encode("utf-8"))


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: cannot be read, so choose another folder or remove it: {error}")


def _manifest(
    spec: DatasetSpec, splits: Mapping[str, Sequence[Sample]], settings: Settings
) -> dict[str, Any]:
    return {
        "source": spec.model_dump(mode="json", by_alias=True, exclude={"root"}),
        "samples": {split: len(samples) for split, samples in splits.items()},
        **settings.model_dump(mode="json"),
    }


def _declaration(
    spec: DatasetSpec,
    splits: Mapping[str, Sequence[Sample]],
    settings: Settings,
    output: Path,
) -> dict[str, Any]:
    factor = settings.downscale
    head = {
        "name": spec.name if factor == 1 else f"{spec.name}_by_{factor}",
        "title": f"{spec.title} (prepared, downscaled by {factor})",
        "terms": spec.terms,
    }
    classes = spec.classes.to_list()
    if settings.layout == "shards":
        patterns = {split: f"{split}-*.tfrecord" for split in splits}
        shards = {"source": "shards", "classes": classes, "splits": patterns}
        return {**head, **shards, "second": settings.second}
    return {
        **head,
        "decode": "gray8",
        "classes": [{**entry, "ids": [label]} for label, entry in enumerate(classes)],
        "ignored": [IGNORE],
        "splits": {
            split: {
                "images": f"images/{split}/**/*.{settings.image_format}",
                "labels": f"labels/{split}/**/*.png",
            }
            for split in splits
        },
        **second_declaration(output, settings.image_format),
    }
