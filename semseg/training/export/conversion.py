"""Converts the frozen graph of a run to other formats, and keeps those that are as good."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from semseg.data import Sample
from semseg.data.samples.samples import spread
from semseg.errors import ConfigError, GraphError, unknown_name
from semseg.runtime.engines.companions import FORMATS
from semseg.runtime.graph.frozen_graph import INPUT, FrozenGraph, read_frozen_graph
from semseg.training.config.experiment import ExperimentConfig
from semseg.training.export.comparison import MAX_DROP, Comparison, compare
from semseg.training.export.formats import SAVED_MODEL, Feeds, write_format
from semseg.training.inputs import resized
from semseg.training.learning_data import LearningData

logger = logging.getLogger(__name__)

ALL_FORMATS = (*FORMATS, SAVED_MODEL)
CALIBRATION_IMAGES = 64
"""Training images that int8 takes its ranges from."""
COMPARED_IMAGES = 32
"""Validation images on which a conversion is compared with the frozen graph."""


def convert(
    path: str | Path,
    forms: Sequence[str],
    config: ExperimentConfig,
    roots: Mapping[str, str],
    *,
    allow_drop: bool = False,
) -> list[Comparison]:
    """Writes other formats beside a frozen graph.

    Args:
      path: the frozen graph.
      forms: the formats, of ``ALL_FORMATS``.
      config: the experiment whose network it is.
      roots: folder of each dataset by its name in the configuration.
      allow_drop: keep a format that costs more than one point of mean IoU, too.

    Returns:
      What each format changed.

    Raises:
      ConfigError: an unknown format, or a dataset that cannot be found.
      GraphError: a format costs more than one point of mean IoU; it is not written, the others
        are.
      EngineError: an engine that is needed to compare is not installed.
    """
    for form in forms:
        if form not in ALL_FORMATS:
            raise ConfigError(unknown_name("format", form, ALL_FORMATS))
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}.") as folder:
        graph = read_frozen_graph(str(shutil.copy(path, folder)))
        data = _HeadData(LearningData(config, roots), graph, config.data.size)
        made = {form: write_format(graph, form, data.calibration()) for form in tqdm(forms)}
        comparisons = compare(graph, forms, data.sample())
        for comparison in comparisons:
            logger.info(comparison.text())
            if allow_drop or comparison.passed:
                _replace(made[comparison.form], path.parent)
    failed = [comparison for comparison in comparisons if not comparison.passed]
    if failed and not allow_drop:
        raise GraphError(
            f"more than {100 * MAX_DROP:.0f} point of mean IoU is lost, so this was not written "
            "(--allow-drop writes it): " + "; ".join(each.text() for each in failed)
        )
    return comparisons


class _HeadData:
    """The samples of a graph's default head, as the graph is fed them.

    Args:
      data: what the run learnt from.
      graph: the frozen graph.
      size: (height, width) at which an open graph is fed.
    """

    def __init__(self, data: LearningData, graph: FrozenGraph, size: tuple[int, int]) -> None:
        head = graph.card.default_head if graph.card is not None else None
        datasets = [each for each in data.datasets if head in (None, each.head)]
        self._train = [sample for each in datasets for sample in each.train]
        self._validation = [sample for each in datasets for sample in each.validation]
        self._graph = graph
        self._size = graph.inputs[0].size or size

    def calibration(self) -> Iterator[Feeds]:
        """Yields inputs of training samples."""
        return (self._feeds(sample) for sample in spread(self._train, CALIBRATION_IMAGES))

    def sample(self) -> list[tuple[Feeds, np.ndarray]]:
        """Returns inputs and true labels of validation samples."""
        chosen = spread(self._validation, COMPARED_IMAGES)
        return [(self._feeds(sample), sample.read_labels()) for sample in chosen]

    def _feeds(self, sample: Sample) -> Feeds:
        feeds = {INPUT: resized(sample.read_image(), self._size)[np.newaxis]}
        second = sample.read_second()
        if second is not None:
            feeds[self._graph.inputs[1].name] = resized(second, self._size)[np.newaxis]
        return feeds


def _replace(made: Path, folder: Path) -> None:
    target = folder / made.name
    if target.is_dir():
        shutil.rmtree(target)
    os.replace(made, target)
