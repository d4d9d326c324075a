"""Freezes the best checkpoint of a run into one file, the frozen graph of format 1."""

import hashlib
import logging
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from semseg.classes import ClassTable
from semseg.errors import CheckpointError, ConfigError, GraphError
from semseg.networks.heads import NumClasses, without_auxiliary
from semseg.networks.mirroring import mirrored
from semseg.runtime.graph import frozen_graph as tensors
from semseg.runtime.graph.card import Card, Head, append_card
from semseg.training.building import build_network
from semseg.training.config.data_section import parse_roots
from semseg.training.config.experiment import ExperimentConfig, load_config
from semseg.training.export.comparison import Comparison
from semseg.training.export.conversion import convert
from semseg.training.export.graph import Size, Tables, chosen_head, graph_bytes
from semseg.training.export.verification import verify
from semseg.training.inputs import second_input
from semseg.training.records.checkpoints import (
    Checkpoint,
    load_checkpoint,
    model_variables,
    restore,
)
from semseg.training.records.run_folder import RunFolder

logger = logging.getLogger(__name__)


def freeze(
    workdir: str | Path,
    output: str | Path,
    size: Size | None = None,
    head: str | None = None,
    *,
    columns: bool = False,
    mirror: bool = False,
) -> Card:
    """Writes the frozen graph of a run's best checkpoint, and runs it in a fresh process.

    Args:
      workdir: the run folder.
      output: the ``.pb`` file to write.
      size: (height, width) that the graph's input is fixed to; None leaves it open, and the
        card names the size of the run's configuration.
      head: the head behind the plain tensor names of a network with several; None takes the
        first.
      columns: group columns for TensorFlow 1.15, see ``graph_bytes``; needs ``size``.
      mirror: let the graph see each image's mirror image too, see ``mirrored``.

    Returns:
      The card of the graph.

    Raises:
      ConfigError: there is no run in the folder, no such head, no size to group columns of, or a
        network of two images to mirror.
      CheckpointError: its best checkpoint is missing, damaged or of another network.
      GraphError: the file cannot be written, or its labels differ from the checkpoint's on
        more than 0.1 % of the pixels; then there is no file.
    """
    if columns and size is None:
        raise ConfigError("columns can be grouped at a fixed size only: say --size too")
    folder, output = RunFolder(workdir), Path(output)
    if not folder.config.exists():
        raise ConfigError(f"no run in {workdir}: it has no {folder.config.name}")
    config, checkpoint = load_config(folder.config), load_checkpoint(folder.best)
    tables = class_tables(checkpoint)
    head = chosen_head(tables, head)
    model = _network(config, checkpoint, tables)
    card = _card(config, checkpoint, size, head)
    if mirror:
        model, card = _mirrored(model, card)
    card = card._replace(inputs=_inputs(model, size))
    partial = output.with_name(output.name + ".partial")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        graph = graph_bytes(model, tables, size, head, columns=columns)
        partial.write_bytes(append_card(graph, card))
        images, seconds = folder.read_images()
        verify(partial, model, images, size or config.data.size, seconds=seconds, head=head)
        os.replace(partial, output)
    except OSError as error:
        raise GraphError(f"cannot freeze {workdir} into {output}: {error}")
    finally:
        partial.unlink(missing_ok=True)
    return card


def convert_run(
    workdir: str | Path,
    graph: str | Path,
    forms: Sequence[str],
    roots: Sequence[str] = (),
    *,
    allow_drop: bool = False,
) -> list[Comparison]:
    """Writes other formats of a run's frozen graph, see ``convert``.

    Args:
      workdir: the run folder.
      graph: its frozen graph.
      forms: the formats.
      roots: folders of the run's datasets, ``DIR`` or ``NAME=DIR``.
      allow_drop: as in ``convert``.

    Returns:
      What each format changed.

    Raises:
      SemsegError: as ``convert``.
    """
    config = load_config(RunFolder(workdir).config)
    folders = parse_roots(roots, config.data.names)
    return convert(graph, forms, config, folders, allow_drop=allow_drop)


def model_graph(path: str | Path) -> Path:
    """Returns the frozen graph that ``--model`` means.

    Args:
      path: a ``.pb`` file, or a run folder, whose best checkpoint is then frozen into the
        folder, once for each checkpoint.

    Raises:
      SemsegError: as ``freeze``.
    """
    if not Path(path).is_dir():
        return Path(path)
    folder = RunFolder(path)
    try:
        contents = (folder.config.read_bytes(), folder.best.read_bytes(), _version().encode())
    except OSError as error:
        raise CheckpointError(f"{path} is no run folder with a best checkpoint: {error}")
    graph = folder.path / "frozen" / f"{hashlib.sha256(b''.join(contents)).hexdigest()[:16]}.pb"
    if not graph.exists():
        logger.info("freezing the best checkpoint of %s", path)
        freeze(path, graph)
    return graph


def class_tables(checkpoint: Checkpoint) -> Tables:
    """Returns the classes that a checkpoint's network was trained for, per head if several."""
    heads = checkpoint.state.get("heads", {})
    if not heads:
        return ClassTable.from_list(checkpoint.fact("classes"))
    return {name: ClassTable.from_list(classes) for name, classes in heads.items()}


def _network(config: ExperimentConfig, checkpoint: Checkpoint, tables: Tables) -> keras.Model:
    num_classes: NumClasses
    if isinstance(tables, ClassTable):
        num_classes = tables.num_classes
    else:
        num_classes = {name: table.num_classes for name, table in tables.items()}
    model = without_auxiliary(build_network(config.network, num_classes, config.data.second))
    restore(checkpoint, model_variables(model))
    return model


def _card(
    config: ExperimentConfig, checkpoint: Checkpoint, size: Size | None, head: str | None
) -> Card:
    tables = class_tables(checkpoint)
    heads: tuple[Head, ...] = ()
    if not isinstance(tables, ClassTable):
        heads = tuple(Head(name, table) for name, table in tables.items())
        tables = next(table for name, table in heads if name == head)
    return Card(
        name=config.name,
        network=config.network.model_dump(mode="json"),
        classes=tables,
        size=size or config.data.size,
        heads=heads,
        default_head=head,
        training=checkpoint.fact("training"),
        scores=tuple(checkpoint.fact("scores")),
        version=_version(),
    )


def _mirrored(model: keras.Model, card: Card) -> tuple[keras.Model, Card]:
    if second_input(model) is not None:
        raise ConfigError(
            f"a network that sees {second_input(model)} beside the image cannot be mirrored: "
            "leave --mirror out"
        )
    scores = tuple(
        {**score, "protocol": f"{score['protocol']}, of the network that is mirrored here"}
        for score in card.scores
    )
    return mirrored(model), card._replace(network={**card.network, "mirrored": True}, scores=scores)


def _inputs(model: keras.Model, size: Size | None) -> tuple[dict[str, Any], ...]:
    names = filter(None, (tensors.INPUT, second_input(model)))
    return tuple(
        {"name": name, "dtype": dtype, "shape": [None, *(size or (None, None)), channels]}
        for name in names
        for dtype, channels in [tensors.INPUTS[name]]
    )


def _version() -> str:
    return version("semseg")
