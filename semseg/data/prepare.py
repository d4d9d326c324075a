"""Writes a dataset smaller, once, so that training need not read large files again and again.

The result is a folder with ``images/SPLIT/NAME.png``, ``labels/SPLIT/NAME.png``, a declaration
``dataset.yaml`` that reads it, and ``manifest.json``, which says how it was made. Its raw ids are
the source's labels: the votes of raw ids that mean one class are counted together.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from semseg.classes import IGNORE
from semseg.data.parallel import map_with_progress
from semseg.data.samples import Sample
from semseg.data.specs import DatasetSpec
from semseg.data.voting import THRESHOLD, vote_labels
from semseg.data.writing import write_file, write_png
from semseg.errors import ConfigError, DatasetError, ImageError
from semseg.runtime.geometry import resize_image

_DECLARATION, _MANIFEST = "dataset.yaml", "manifest.json"


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
    downscale: int = 1,
    workers: int | None = None,
) -> Outcome:
    """Writes a dataset, or the rest of it if a former run was interrupted.

    Args:
      spec: the dataset's declaration.
      splits: split name -> samples to write.
      output: the folder to write into; empty, or of a former run with the same settings.
      downscale: what height and width are divided by; the rest of the division is cut off.
      workers: threads; None takes as many as there are processors.

    Returns:
      What became of the samples.

    Raises:
      ConfigError: the folder holds something else.
      DatasetError: a file cannot be written.
    """
    output = Path(output)
    _claim_folder(output, _manifest(spec, splits, downscale))
    work = partial(_prepare_sample, output, downscale)
    outcome = Outcome(0, 0, [])
    for split, samples in splits.items():
        for result in map_with_progress(work, samples, f"preparing {split}", workers):
            outcome = _add(outcome, result)
    # Last, so that a folder with a declaration is a whole dataset.
    text = yaml.safe_dump(_declaration(spec, splits, downscale), sort_keys=False)
    write_file(output / _DECLARATION, text.encode("utf-8"))
    return outcome


def _prepare_sample(output: Path, downscale: int, sample: Sample) -> bool | str:
    """Writes one sample; returns whether it had to be written, or why it could not be read."""
    image_path = output / "images" / f"{sample.name}.png"
    label_path = output / "labels" / f"{sample.name}.png"
    if image_path.is_file() and label_path.is_file():
        return False
    try:
        image, labels = sample.read()
    except (ImageError, DatasetError) as error:
        return f"{sample.name}: {error}"
    small = vote_labels(labels, downscale)
    height, width = small.shape
    covered = image[: height * downscale, : width * downscale]
    write_png(image_path, resize_image(covered, (height, width), "area"))
    write_png(label_path, small)
    return True


def _add(outcome: Outcome, result: bool | str) -> Outcome:
    if isinstance(result, str):
        return outcome._replace(failed=[*outcome.failed, result])
    if result:
        return outcome._replace(written=outcome.written + 1)
    return outcome._replace(reused=outcome.reused + 1)


def _claim_folder(output: Path, manifest: dict[str, Any]) -> None:
    """Makes the folder, or finds that a former run with the same settings made it."""
    path = output / _MANIFEST
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
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


def _manifest(
    spec: DatasetSpec, splits: Mapping[str, Sequence[Sample]], downscale: int
) -> dict[str, Any]:
    return {
        "source": spec.model_dump(mode="json", by_alias=True),
        "samples": {split: len(samples) for split, samples in splits.items()},
        "downscale": downscale,
        "vote_threshold": THRESHOLD,
    }


def _declaration(
    spec: DatasetSpec, splits: Mapping[str, Sequence[Sample]], downscale: int
) -> dict[str, Any]:
    return {
        "name": spec.name if downscale == 1 else f"{spec.name}_by_{downscale}",
        "title": f"{spec.title} (prepared, downscaled by {downscale})",
        "terms": spec.terms,
        "decode": "gray8",
        "classes": [
            {**entry, "ids": [label]} for label, entry in enumerate(spec.classes.to_list())
        ],
        "ignored": [IGNORE],
        "splits": {
            split: {"images": f"images/{split}/**/*.png", "labels": f"labels/{split}/**/*.png"}
            for split in splits
        },
    }


def spread(samples: Sequence[Sample], count: int | None) -> list[Sample]:
    """Returns ``count`` samples spread evenly over all; all of them for None."""
    if count is None or count >= len(samples):
        return list(samples)
    return [samples[index] for index in np.arange(count) * len(samples) // count]
