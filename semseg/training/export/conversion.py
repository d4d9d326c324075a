"""Converts the frozen graph of a run to other formats, and keeps those that are as good.

What a conversion changes is measured: probabilities, labels, mean IoU.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from semseg.data import Sample
from semseg.data.samples.samples import spread
from semseg.errors import ConfigError, GraphError, unknown_name
from semseg.metrics import ConfusionMatrix
from semseg.runtime.engines import EngineOptions, load_engine
from semseg.runtime.engines.companions import FORMATS
from semseg.runtime.graph.frozen_graph import (
    CLASS_IDS,
    CLASS_PROBABILITIES,
    INPUT,
    FrozenGraph,
    read_frozen_graph,
)
from semseg.runtime.images.geometry import resize_labels
from semseg.training.config.experiment import ExperimentConfig
from semseg.training.export.formats import SAVED_MODEL, Feeds, saved_model_path, write_format
from semseg.training.inputs import resized
from semseg.training.learning_data import LearningData

logger = logging.getLogger(__name__)


MAX_DROP = 0.01
"""Largest loss of mean IoU that a conversion may cost."""
_ENGINES = {
    "onnx": ("onnxruntime", "float32"),
    "tflite": ("litert", "float32"),
    "tflite-float16": ("litert", "float16"),
    "tflite-int8": ("litert", "int8"),
}
_OUTPUTS = (CLASS_IDS, CLASS_PROBABILITIES)


class Comparison(NamedTuple):
    """A converted graph against the frozen one, on the same images.

    Attributes:
      form: the format.
      max_difference: largest difference of a probability, 0..1.
      equal_labels: share of the pixels with the same label, 0..1.
      mean_iou_before: mean IoU of the frozen graph.
      mean_iou_after: mean IoU of the converted one.
      images: how many images were compared.
    """

    form: str
    max_difference: float
    equal_labels: float
    mean_iou_before: float
    mean_iou_after: float
    images: int

    @property
    def passed(self) -> bool:
        """Whether the mean IoU fell by at most one point."""
        return self.mean_iou_before - self.mean_iou_after <= MAX_DROP

    def text(self) -> str:
        """Returns the report as one line."""
        return (
            f"{self.form}: largest difference of a probability {self.max_difference:.2g}, equal "
            f"labels {100 * self.equal_labels:.2f} %, mean IoU {self.mean_iou_before:.4f} -> "
            f"{self.mean_iou_after:.4f} on {self.images} images"
        )


class _Measured:
    """One format while it is measured."""

    def __init__(self, form: str, runner: Any, num_classes: int) -> None:
        self.form = form
        self.runner = runner
        self.confusion = ConfusionMatrix(num_classes)
        self.max_difference = 0.0
        self.equal = self.pixels = 0

    def add(self, feeds: Feeds, truth: np.ndarray, expected: Sequence[np.ndarray]) -> None:
        labels, probabilities = self.runner.run(dict(feeds), _OUTPUTS)
        difference = np.abs(probabilities - expected[1]).max()
        self.max_difference = max(self.max_difference, float(difference))
        self.equal += np.count_nonzero(labels == expected[0])
        self.pixels += labels.size
        _count(self.confusion, truth, labels)


class _SavedModel:
    """Runs a SavedModel as an engine runs its file."""

    def __init__(self, folder: Path) -> None:
        self._module = tf.saved_model.load(str(folder))
        self._serve = self._module.signatures["serving_default"]

    def run(self, feeds: Feeds, outputs: Sequence[str]) -> tuple[np.ndarray, ...]:
        made = self._serve(**{name: tf.constant(array) for name, array in feeds.items()})
        return tuple(made[name].numpy() for name in outputs)


def compare(
    graph: FrozenGraph, forms: Sequence[str], sample: Iterable[tuple[Feeds, np.ndarray]]
) -> list[Comparison]:
    """Runs a frozen graph and its conversions on images with true labels.

    Args:
      graph: the frozen graph; the formats stand beside it.
      forms: the formats.
      sample: inputs by name, a batch of one, and true labels of the default head, uint8 [H, W]
        of any size.

    Returns:
      One comparison for each format.

    Raises:
      EngineError: the engine that runs a format is not installed.
    """
    options = EngineOptions()
    frozen = load_engine("tensorflow", graph, options)
    before = ConfusionMatrix(graph.classes.num_classes)
    measured = [
        _Measured(form, _runner(graph, form, options), before.num_classes) for form in forms
    ]
    images = 0
    for feeds, truth in tqdm(sample, desc="compare", unit="image"):
        expected = frozen.run(dict(feeds), _OUTPUTS)
        _count(before, truth, expected[0])
        for each in measured:
            each.add(feeds, truth, expected)
        images += 1
    frozen.close()
    return [
        Comparison(
            each.form,
            each.max_difference,
            each.equal / max(1, each.pixels),
            before.mean_iou,
            each.confusion.mean_iou,
            images,
        )
        for each in measured
    ]


def _runner(graph: FrozenGraph, form: str, options: EngineOptions) -> Any:
    if form == SAVED_MODEL:
        return _SavedModel(saved_model_path(graph.path))
    engine, precision = _ENGINES[form]
    return load_engine(engine, graph, options._replace(precision=precision))


def _count(confusion: ConfusionMatrix, truth: np.ndarray, labels: np.ndarray) -> None:
    height, width = truth.shape
    confusion.update(truth, resize_labels(labels[0], (height, width)))


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
