"""The flags that the command lines of evaluation share, and what they stand for."""

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace

from semseg.command_line import size
from semseg.data import DatasetSpec, Sample, load_dataset, samples
from semseg.data.declarations.specs import SecondKind
from semseg.errors import ConfigError
from semseg.profiles import model_path, shipped_profiles
from semseg.runtime import Segmenter
from semseg.runtime.graph.frozen_graph import DISPARITY, RIGHT
from semseg.runtime.images.view import Margins


def add_model_flags(parser: ArgumentParser) -> None:
    """Adds ``--model``, ``--engine`` and ``--size``."""
    parser.add_argument("--model", required=True, help="reduced, full, a .pb or a run folder")
    parser.add_argument("--engine", default="auto", help="inference engine (default: %(default)s)")
    parser.add_argument("--size", type=size, metavar="HxW", help="size of the network's input")


def load_segmenter(arguments: Namespace) -> Segmenter:
    """Loads the segmenter that the model flags ask for.

    Raises:
      SemsegError: the model is missing or damaged, or cannot run as asked.
    """
    path = graph_path(arguments.model)
    return Segmenter.load(path, engine=arguments.engine, input_size=arguments.size)


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


def add_dataset_flags(parser: ArgumentParser) -> None:
    """Adds ``--root``, ``--label-root`` and ``--split``, which go with ``--dataset``."""
    parser.add_argument("--root", metavar="DIR", help="the dataset's folder")
    parser.add_argument("--label-root", metavar="DIR", help="folder of the labels, if another")
    parser.add_argument(
        "--split", default="val", help="split of the dataset (default: %(default)s)"
    )


def second_kind(segmenter: Segmenter) -> SecondKind | None:
    """Returns what a segmenter wants to see beside the image, if anything."""
    names = {found.name for found in segmenter.graph.inputs}
    return "right" if RIGHT in names else "disparity" if DISPARITY in names else None


def load_samples(
    arguments: Namespace, second: SecondKind | None = None
) -> tuple[DatasetSpec, list[Sample]]:
    """Finds the samples that the dataset flags ask for, with their declaration.

    Args:
      arguments: with the dataset flags.
      second: what the samples are to have beside the image, see ``second_kind``.

    Raises:
      SemsegError: no such dataset, root or split.
    """
    spec = load_dataset(arguments.dataset)
    return spec, samples(spec, arguments.root, arguments.split, arguments.label_root, second)
