"""What a run learns from: the samples of its datasets, checked, and the heads that learn them.

A few samples alone can be overfit, which a sound network on sound data can do.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from semseg.classes import IGNORE, ClassTable
from semseg.data import AugmentationConfig, DatasetSpec, Sample, load_dataset, samples
from semseg.data.batches.batches import Batch, SampleSource, batches
from semseg.data.batches.class_uniform import ClassUniform, find_classes, place_cache
from semseg.data.batches.mixing import epoch_samples
from semseg.data.check.check import check
from semseg.data.declarations.class_map import ClassMapFile, read_class_map
from semseg.data.declarations.specs import TownSpec
from semseg.data.files.file_cache import default_folder
from semseg.data.samples.samples import ChangedSample, RemappedSample
from semseg.errors import ConfigError, DatasetError
from semseg.networks.heads import ONLY_HEAD, NumClasses, head_of, is_teacher
from semseg.runtime.images.geometry import resize_labels
from semseg.training.config.experiment import DataConfig, ExperimentConfig, SourceConfig
from semseg.training.inputs import resized
from semseg.training.teacher import Teacher
from semseg.training.unlabelled_sources import Unlabelled, find_unlabelled

logger = logging.getLogger(__name__)


WITHOUT_CHANGE = AugmentationConfig(flip=0.0)


@dataclass(frozen=True)
class ResizedSample(ChangedSample):
    """A ``Sample`` at the network's size, as validation and the robot resize it.

    Attributes:
      size: the network's (height, width).
    """

    size: tuple[int, int]

    def _changed_image(self, image: np.ndarray) -> np.ndarray:
        return resized(image, self.size)

    def _changed_labels(self, labels: np.ndarray) -> np.ndarray:
        return resize_labels(labels, self.size)


def by_heart(samples: Sequence[Sample], size: tuple[int, int]) -> list[Sample]:
    """Returns samples at the network's (height, width), so that whole images make a batch."""
    return [ResizedSample(sample, size) for sample in samples]


def check_data(config: DataConfig, roots: Mapping[str, str]) -> None:
    """Reads all files that a training needs; those that passed before are not read again.

    Args:
      config: the section of the configuration.
      roots: folder of each dataset by its name in the configuration.

    Raises:
      SemsegError: a dataset cannot be found, or its files are not what its declaration says.
    """
    for source in config.sources:
        spec = load_dataset(source.dataset)
        if isinstance(spec, TownSpec):
            continue
        splits = [*filter(None, (source.train_split, source.validation_split))]
        report = check(
            spec,
            roots.get(source.dataset),
            splits=splits,
            second=config.second,
            cache=default_folder(),
        )
        for warning in report.warnings:
            logger.warning("%s: %s", report.name, warning)
        if not report.passed:
            raise DatasetError(
                f"{report.summary()}: {report.errors[0]} (scripts/check_dataset.py lists all; "
                "--no-check trains nevertheless)"
            )


class LearntDataset(NamedTuple):
    """One dataset of a run.

    Attributes:
      spec: its declaration.
      source: its section of the configuration.
      head: the head that learns it.
      train: training samples, with the labels of the head's classes; none if it is scored only.
      validation: validation samples, likewise.
    """

    spec: DatasetSpec
    source: SourceConfig
    head: str
    train: Sequence[Sample]
    validation: Sequence[Sample]


class LearningData:
    """The datasets of a run.

    Args:
      config: the experiment.
      roots: folder of each dataset by its name in the configuration.

    Attributes:
      datasets: in the order of the configuration.
      heads: the classes of each head.
      num_classes: what a network function takes: a number, or one for each head of its own.

    Raises:
      SemsegError: a dataset cannot be found, or its classes do not fit its head.
    """

    def __init__(self, config: ExperimentConfig, roots: Mapping[str, str]) -> None:
        self._config = config
        self._roots = roots
        specs = load_specs(config.data)
        self._class_map = class_map_of(config.data)
        self.heads, self.num_classes = learnt_classes(config.data, specs)
        self.datasets = tuple(map(self._dataset, specs, config.data.sources))
        self._class_uniform = [*map(self._find_classes, self._learnt)]

    @cached_property
    def teacher(self) -> Teacher | None:
        """The teacher, if there is one; what is learnt by heart are labels alone.

        Raises:
          SemsegError: the graph cannot be used, or its classes fit no head.
        """
        config = self._config.loss.teacher
        if config is None or self._config.training.overfit:
            return None
        return Teacher(config, self.heads, self._class_map)

    @cached_property
    def unlabelled(self) -> tuple[Unlabelled, ...]:
        """The sources of unlabelled images.

        Raises:
          SemsegError: one of them is empty, or cannot be read.
        """
        overfit = self._config.training.overfit
        return () if overfit else tuple(map(find_unlabelled, self._config.data.unlabelled))

    def prepare(self) -> None:
        """Lets the teacher see all images, so that no step waits for it."""
        if self.teacher is not None:
            images = [sample for dataset in self._learnt for sample in dataset.train]
            images += [sample for source in self.unlabelled for sample in source.samples]
            self.teacher.prepare(images)

    @cached_property
    def _sources(self) -> list[SampleSource]:
        """What batches are drawn from: the datasets that are learnt, then the unlabelled images."""
        cache = self._config.data.cache or self._config.training.overfit is not None
        soft_labels = None if self.teacher is None else self.teacher.soft_labels
        found = [dataset.train for dataset in self._learnt]
        found += [source.samples for source in self.unlabelled]
        return [SampleSource(each, cache, soft_labels) for each in found]

    @property
    def _learnt(self) -> list[LearntDataset]:
        return [dataset for dataset in self.datasets if dataset.train]

    @property
    def train_samples(self) -> dict[str, list[Sample]]:
        """The training samples of each head."""
        return {
            head: [sample for dataset in self.datasets if dataset.head == head
                   for sample in dataset.train]
            for head in self.heads
        }  # fmt: skip

    @property
    def skipped(self) -> dict[str, str]:
        """Name -> reason, of the training samples that could not be read so far."""
        found = [source.skipped for source in self._sources]
        found += [source.skipped for source in self.unlabelled]
        return {name: why for skipped in found for name, why in skipped.items()}

    def batches(self, start: int, share: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """Yields the batches from number ``start`` on, or a host's share of them."""
        training = self._config.training
        no_choice = [None] * len(self.unlabelled)
        return batches(
            self._sources,
            self.augmentation,
            training.batch_size,
            seed=training.seed,
            start=start,
            threads=training.threads,
            weights=self._weights,
            class_uniform=[*self._class_uniform, *no_choice],
            share=share,
        )

    @property
    def epoch_steps(self) -> int:
        """Steps from one validation to the next."""
        training = self._config.training
        samples_of_step = training.batch_size * training.accumulate
        size = epoch_samples([len(source) for source in self._sources])
        return training.epoch_steps or -(-size // samples_of_step)

    @property
    def augmentation(self) -> AugmentationConfig:
        """What is done to each training sample."""
        return WITHOUT_CHANGE if self._config.training.overfit else self._config.augmentation

    def targets(self, batch: Batch, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """Returns what each output of a network learns from a batch.

        Args:
          batch: the batch.
          outputs: names of the network's outputs, auxiliary ones included.

        Returns:
          labels uint8 [B, h, w] for each output: ``IGNORE`` for the samples of datasets that
          another head learns. The output that learns a teacher has soft labels of all samples.
        """
        sources = [dataset.head for dataset in self._learnt] + [""] * len(self.unlabelled)
        heads = np.array(sources)[batch.dataset]
        return {
            output: batch.soft_labels
            if is_teacher(output) and batch.soft_labels is not None
            else np.where((heads == head_of(output))[:, None, None], batch.labels, IGNORE)
            for output in outputs
        }

    @property
    def _weights(self) -> list[float] | None:
        """How often each source is drawn from; what is learnt by heart has no unlabelled ones."""
        weights = self._config.data.weights
        return weights and weights[: len(self._sources)]

    def _dataset(self, spec: DatasetSpec, source: SourceConfig) -> LearntDataset:
        head = ONLY_HEAD if ONLY_HEAD in self.heads else source.head or spec.name
        train = self._samples(spec, source, source.train_split, head) if source.train_split else []
        overfit = self._config.training.overfit
        if overfit:
            train = by_heart(train[:overfit], self._config.data.size)
            return LearntDataset(spec, source, head, train, train)
        validation = self._samples(spec, source, source.validation_split, head)
        return LearntDataset(spec, source, head, train, validation)

    def _find_classes(self, dataset: LearntDataset) -> ClassUniform | None:
        share = self._config.data.class_uniform
        if not share or self._config.training.overfit:
            return None
        meaning = f"{dataset.spec.model_dump_json()} {self._class_map.model_dump_json()} "
        meaning += ", ".join(self.heads[dataset.head].names)
        cache = place_cache(default_folder(), dataset.spec.name, meaning)
        return find_classes(dataset.train, share, cache=cache)

    def _samples(
        self, spec: DatasetSpec, source: SourceConfig, split: str, head: str
    ) -> Sequence[Sample]:
        """Returns the samples of a split, with the labels of a head's classes."""
        root, second = self._roots.get(source.dataset), self._config.data.second
        found = samples(spec, root, split, second=second)
        if spec.classes == self.heads[head]:
            return found
        try:
            table = self._class_map.onto(self.heads[head], spec.classes).table
        except ConfigError as error:
            raise ConfigError(f"dataset '{spec.name}': {error}")
        return [RemappedSample(sample, table) for sample in found]


def load_specs(data: DataConfig) -> list[DatasetSpec]:
    """Returns the declarations of an experiment's datasets.

    Raises:
      ConfigError: two of them have one name, by which scores are told apart.
    """
    specs = [load_dataset(source.dataset) for source in data.sources]
    names = [spec.name for spec in specs]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ConfigError(f"data.datasets: several are named {', '.join(sorted(repeated))}")
    return specs


def learnt_classes(
    data: DataConfig, specs: Sequence[DatasetSpec]
) -> tuple[dict[str, ClassTable], NumClasses]:
    """Says what a network learns.

    Args:
      data: the section of the configuration.
      specs: its datasets.

    Returns:
      The classes of each head, and what a network function takes: their number, or that of each
      of several heads.

    Raises:
      ConfigError: two datasets of one head have different classes.
    """
    if data.dataset is not None or data.heads == "shared":
        classes = class_map_of(data).target(specs[0].classes)
        return {ONLY_HEAD: classes}, classes.num_classes
    heads = _own_heads(data, specs)
    return heads, {head: classes.num_classes for head, classes in heads.items()}


def class_map_of(data: DataConfig) -> ClassMapFile:
    """Returns the class map of an experiment, an empty one if there is none."""
    return read_class_map(data.class_map) if data.class_map else ClassMapFile()


def _own_heads(data: DataConfig, specs: Sequence[DatasetSpec]) -> dict[str, ClassTable]:
    heads: dict[str, ClassTable] = {}
    for source, spec in zip(data.datasets, specs, strict=True):
        head = source.head or spec.name
        if head == ONLY_HEAD or head_of(head) != head:
            raise ConfigError(f"data.datasets: a head cannot be called '{head}'; name another")
        if heads.setdefault(head, spec.classes) != spec.classes:
            raise ConfigError(
                f"data.datasets: head '{head}' has the classes {', '.join(heads[head].names)}, "
                f"dataset '{spec.name}' has {', '.join(spec.classes.names)}; give it a head of "
                "its own, or say 'heads: shared' with a class_map"
            )
    return heads
