"""Flags that several commands share: their options, and what they stand for."""

import os
from argparse import ArgumentParser, ArgumentTypeError
from typing import NamedTuple

from semseg.command_line import size
from semseg.data import DatasetSpec, Sample, load_dataset, samples
from semseg.data.declarations.specs import SecondKind
from semseg.errors import ConfigError
from semseg.profiles import model_path, shipped_profiles
from semseg.runtime import Segmenter
from semseg.runtime.graph.frozen_graph import DISPARITY, RIGHT
from semseg.runtime.images.geometry import Size
from semseg.runtime.images.view import Margins


class SegmenterOptions(NamedTuple):
    """What segments.

    Attributes:
      model: a profile, a run folder, or the path of a graph, see ``graph_path``.
      engine: name of an inference engine, or ``auto``.
      size: (height, width) of the network's input; None leaves it to the graph.
    """

    model: str
    engine: str
    size: Size | None


class DatasetOptions(NamedTuple):
    """Samples of a dataset.

    Attributes:
      dataset: name, YAML file or folder of the dataset.
      root: its folder; None if the declaration says it, or none is needed.
      label_root: folder of the labels, if it is another.
      split: which of its splits.
    """

    dataset: str
    root: str | None
    label_root: str | None
    split: str


def add_model_flags(parser: ArgumentParser) -> None:
    """Adds the flags of ``SegmenterOptions``."""
    parser.add_argument("--model", required=True, help="reduced, full, a .pb or a run folder")
    parser.add_argument("--engine", default="auto", help="inference engine (default: %(default)s)")
    parser.add_argument("--size", type=size, metavar="HxW", help="size of the network's input")


def load_segmenter(options: SegmenterOptions) -> Segmenter:
    """Loads the segmenter that is asked for.

    Raises:
      SemsegError: the model is missing or damaged, or cannot run as asked.
    """
    path = graph_path(options.model)
    return Segmenter.load(path, engine=options.engine, input_size=options.size)


def graph_path(model: str) -> str:
    """Returns the frozen graph behind ``--model``.

    Args:
      model: a profile of ``config/segmenter.yaml`` such as ``reduced``; a run folder, whose best
        checkpoint is then frozen first; or the path of a graph.

    Raises:
      ConfigError: it is none of these.
    """
    folder = os.path.expanduser(model)
    if os.path.isdir(folder) and model not in shipped_profiles():
        # Keras and TensorFlow are for run folders alone: their import takes seconds.
        from semseg.training.export.freeze import model_graph

        return str(model_graph(folder))
    return model_path(model)


def crop(text: str) -> Margins:
    """Reads ``TOP,BOTTOM`` or ``TOP,BOTTOM,LEFT,RIGHT``, as in ``--crop 40,60``."""
    try:
        return Margins.parse(text)
    except ConfigError as error:
        raise ArgumentTypeError(str(error))


def add_dataset_flags(parser: ArgumentParser, split: str = "val") -> None:
    """Adds ``--root``, ``--label-root`` and ``--split``, which go with ``--dataset``."""
    parser.add_argument("--root", metavar="DIR", help="the dataset's folder")
    parser.add_argument("--label-root", metavar="DIR", help="folder of the labels, if another")
    parser.add_argument(
        "--split", default=split, help="split of the dataset (default: %(default)s)"
    )


def second_kind(segmenter: Segmenter) -> SecondKind | None:
    """Returns what a segmenter wants to see beside the image, if anything."""
    names = {found.name for found in segmenter.graph.inputs}
    return "right" if RIGHT in names else "disparity" if DISPARITY in names else None


def load_samples(
    options: DatasetOptions, second: SecondKind | None = None
) -> tuple[DatasetSpec, list[Sample]]:
    """Finds the samples that are asked for, with their declaration.

    Args:
      options: of the dataset.
      second: what the samples are to have beside the image, see ``second_kind``.

    Raises:
      SemsegError: no such dataset, root or split.
    """
    spec = load_dataset(options.dataset)
    return spec, samples(spec, options.root, options.split, options.label_root, second)
