"""A teacher: a frozen graph whose probabilities a network learns beside, or instead of, labels.

The teacher sees each image once, whole and as it is, in the engine and at the size in which the
robot would run it. What it says is kept on the disk, and the geometry of the augmentation is
applied to it as to labels. So neither a crop's border nor changed colours spoil what it says, and
a training step does not wait for it.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semseg.classes import IGNORE, ClassTable
from semseg.data import Sample
from semseg.data.declarations.class_map import ClassMapFile
from semseg.data.files.parallel import map_with_progress
from semseg.data.soft_labels import SoftLabelCache, cells, default_folder, mapped
from semseg.errors import ConfigError, EngineError, GraphError, ImageError
from semseg.networks.heads import ONLY_HEAD
from semseg.runtime.graph.frozen_graph import FrozenGraph, read_frozen_graph
from semseg.runtime.graph.graph_costs import graph_costs
from semseg.runtime.network_size import input_shapes, network_size
from semseg.runtime.segmenter import Segmenter
from semseg.training.config.optimization import TeacherConfig

logger = logging.getLogger(__name__)

_FORMAT = 1
"""Changes when the same teacher's soft labels are made otherwise."""
_KEY = "loss.teacher"


class _Pupil(NamedTuple):
    """The head that learns a teacher, and the head's label of each of the teacher's labels."""

    head: str
    table: np.ndarray


class Teacher:
    """The teacher of a run.

    Args:
      config: its section of the configuration.
      heads: the classes of each head of the network that learns.
      class_map: ``data.class_map`` of the experiment.

    Attributes:
      head: the head that learns from it.
      num_classes: number of classes of that head.

    Raises:
      GraphError: the graph is missing, damaged, or has no such head.
      ConfigError: its classes are not those of a head, it sees more than an image, or it is
        larger than the memory.
    """

    def __init__(
        self, config: TeacherConfig, heads: Mapping[str, ClassTable], class_map: ClassMapFile
    ) -> None:
        self._config = config
        graph = read_frozen_graph(config.graph)
        if len(graph.inputs) > 1:
            seen = " and ".join(found.name for found in graph.inputs)
            raise ConfigError(f"{_KEY}: {graph.path} sees {seen}; expected an image alone")
        classes = graph.head_classes(config.head)
        self.head, self._table = _pupil(graph.path, classes, heads, class_map)
        _check_memory(graph)
        self._digest = graph.digest
        self._training = {} if graph.card is None else graph.card.training
        self.num_classes = heads[self.head].num_classes
        self._cache = SoftLabelCache(self._folder(heads[self.head]), self.num_classes)
        self._segmenter: Segmenter | None = None

    @property
    def record(self) -> dict[str, Any]:
        """Name and digest of the graph, what it learnt from itself, and how it is learnt from."""
        return {
            "graph": Path(self._config.graph).name,
            "sha256": self._digest,
            "dataset": self._training.get("dataset"),
            "terms": self._training.get("terms"),
            "head": self._config.head,
            "temperature": self._config.temperature,
            "weight": self._config.weight,
        }

    def soft_labels(self, image: np.ndarray) -> np.ndarray:
        """Returns what it says of an image, from any thread; see ``semseg.data.soft_labels``.

        Args:
          image: uint8 (H, W, 3) RGB.

        Returns:
          uint8 (ceil(H / 2), ceil(W / 2), C), of the classes of the head that learns.

        Raises:
          SemsegError: the graph cannot be run any more, or the disk is full.
        """
        return self._cache.get(image, self._ask)

    def prepare(self, samples: Sequence[Sample]) -> None:
        """Asks for all samples whose soft labels are not on the disk yet, and frees the engine.

        Args:
          samples: one that cannot be read is left to the training, which names it.

        Raises:
          SemsegError: as ``soft_labels``.
        """

        def ask(sample: Sample) -> int:
            try:
                return self.soft_labels(sample.read_image()).nbytes
            except ImageError:
                return 0

        size = sum(map_with_progress(ask, samples, "teacher"))
        logger.info("soft labels of %s: %d MiB in %s",
                    Path(self._config.graph).name, size >> 20, self._cache.folder)  # fmt: skip
        self.close()

    def close(self) -> None:
        """Frees the engine; it is started again if it is needed."""
        if self._segmenter is not None:
            self._segmenter.close()
            self._segmenter = None

    def _ask(self, image: np.ndarray) -> np.ndarray:
        try:
            if self._segmenter is None:
                self._segmenter = self._load()
            found = self._segmenter.segment(image, probabilities=True, confidence=False)
        except MemoryError:
            raise EngineError(f"{_KEY}: there is not enough memory to run {self._config.graph}")
        assert found.probabilities is not None  # They were asked for.
        return mapped(cells(found.probabilities), self._table, self.num_classes)

    def _load(self) -> Segmenter:
        segmenter = Segmenter.load(self._config.graph, head=self._config.head)
        if segmenter.digest != self._digest:
            segmenter.close()
            raise GraphError(f"{_KEY}: {self._config.graph} has changed since the run began")
        logger.info("teacher %s runs in %s", self._config.graph, segmenter.engine)
        return segmenter

    def _folder(self, classes: ClassTable) -> Path:
        meaning = f"{_FORMAT} {self._config.head} {classes.names} {self._table.tolist()}"
        digest = hashlib.blake2b(meaning.encode(), digest_size=4).hexdigest()
        return default_folder() / f"{self._digest[:16]}-{digest}"


def _pupil(
    graph: str, classes: ClassTable, heads: Mapping[str, ClassTable], class_map: ClassMapFile
) -> _Pupil:
    """Finds the head that learns a teacher of these classes; raises ``ConfigError``."""
    if ONLY_HEAD in heads:
        return _Pupil(ONLY_HEAD, _table(graph, classes, heads[ONLY_HEAD], class_map))
    same = [head for head, known in heads.items() if set(known.names) == set(classes.names)]
    if len(same) != 1:
        tables = "; ".join(f"{head}: {', '.join(known.names)}" for head, known in heads.items())
        raise ConfigError(
            f"{_KEY}: {graph} has the classes {', '.join(classes.names)}, expected those of one "
            f"head, found those of {', '.join(same) or 'none'} ({tables})"
        )
    return _Pupil(same[0], _table(graph, classes, heads[same[0]], class_map))


def _table(
    graph: str, classes: ClassTable, target: ClassTable, class_map: ClassMapFile
) -> np.ndarray:
    try:
        table = class_map.onto(target, classes).table
    except ConfigError as error:
        raise ConfigError(f"{_KEY}: {graph}: {error}")
    known = set(table[table != IGNORE].tolist())
    missing = [name for label, name in enumerate(target.names) if label not in known]
    if missing:
        # It would teach that there are none of them.
        raise ConfigError(
            f"{_KEY}: {graph} has no class {', '.join(missing)}, which the network learns; "
            f"it has {', '.join(classes.names)}"
        )
    return table


def _check_memory(graph: FrozenGraph) -> None:
    """Refuses a graph that needs more memory than there is.

    Counted are its file, its parameters in the engine, and the largest tensor twice: a bound from
    below, that no engine can stay under.

    Raises:
      ConfigError: it is larger.
    """
    free = available_memory()
    costs = graph_costs(graph.nodes, input_shapes(graph, network_size(graph, None)))
    needed = len(graph.data) + 4 * (costs.parameters + 2 * costs.largest)
    if free is not None and needed > free:
        raise ConfigError(
            f"{_KEY}: {graph.path} needs {needed >> 20} MiB of memory at least, "
            f"{free >> 20} MiB are free"
        )


def available_memory() -> int | None:
    """Returns the bytes of memory that programs can still get; None where nothing says it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    sizes = dict(line.split(":", 1) for line in lines)
    return int(sizes["MemAvailable"].split()[0]) << 10 if "MemAvailable" in sizes else None
