"""The segmenter: a frozen graph in an engine, from images to labels of the images' size."""

import logging
from time import perf_counter
from typing import List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

from semseg.classes import ClassTable
from semseg.errors import GraphError, ImageError
from semseg.runtime.engines import AUTO, Engine, EngineOptions, load_engine
from semseg.runtime.engines.choice import Refusal, choose_engine
from semseg.runtime.graph.card import SQUASH, Card
from semseg.runtime.graph.frozen_graph import (
    CLASS_CONFIDENCE,
    CLASS_IDS,
    CLASS_PROBABILITIES,
    DISPARITY,
    INPUT,
    FrozenGraph,
    head_tensor,
    read_frozen_graph,
)
from semseg.runtime.images.geometry import Fit, Size
from semseg.runtime.network_size import check_size, input_shapes, network_size, open_size

_log = logging.getLogger(__name__)


class Timing(NamedTuple):
    """Milliseconds per image: fitting it, inference, bringing its labels to its size."""

    resize_ms: float
    inference_ms: float
    restore_ms: float


class Segmentation(NamedTuple):
    """The labels of one image, at the image's size.

    Attributes:
      labels: uint8 (H, W), the most probable class of each pixel.
      confidence: float32 (H, W), its probability, 0..1; None if it was not asked for.
      probabilities: float32 (H, W, C); None if they were not asked for.
      timing: what it took.
    """

    labels: np.ndarray
    confidence: Optional[np.ndarray]
    probabilities: Optional[np.ndarray]
    timing: Timing


def image_size(image: np.ndarray) -> Size:
    """Returns (height, width) of an image."""
    height, width = image.shape[:2]
    return height, width


def checked_image(image: np.ndarray) -> np.ndarray:
    """Returns an image uint8 [H, W, 3], not copied, or raises ``ImageError``."""
    is_image = isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3
    if not is_image or image.dtype != np.uint8 or not image.size:
        raise ImageError("an image is uint8 [H, W, 3] RGB; found %s" % describe(image))
    return image


def checked_disparity(disparity: np.ndarray) -> np.ndarray:
    """Returns a disparity image float32 [H, W], or raises ``ImageError``."""
    is_plane = isinstance(disparity, np.ndarray) and disparity.ndim == 2
    if not is_plane or disparity.dtype != np.float32:
        raise ImageError("a disparity image is float32 [H, W]; found %s" % describe(disparity))
    return disparity


def describe(value: object) -> str:
    """Says what an array is: ``uint8 of shape 4x5``; of anything else, its type."""
    if not isinstance(value, np.ndarray):
        return type(value).__name__
    return "%s of shape %s" % (value.dtype, "x".join(map(str, value.shape)))


class Segmenter:
    """Labels images with a frozen graph. For one thread at a time.

    Attributes:
      graph: the checked graph.
      engine: name of the engine it runs in.
      precision: precision that the engine computes in.
      input_size: (height, width) of the network's input, or None: chosen for each image.
      refusals: the engines that ``auto`` tried before this one, and why they failed.
      head: name of the head that labels, or None: the graph's default one.
      classes: names and colours of that head's classes.
    """

    def __init__(
        self,
        graph: FrozenGraph,
        engine: str,
        runner: Engine,
        input_size: Optional[Size],
        head: Optional[str] = None,
    ):
        """Use ``load``."""
        self.graph = graph
        self.head = head
        self.classes: ClassTable = graph.head_classes(head)
        self.engine = engine
        self.refusals: Tuple[Refusal, ...] = ()
        self.precision = runner.precision
        self.input_size = input_size
        self._runner = runner
        self._labels, self._confidence, self._probabilities = (
            head_tensor(name, head) for name in (CLASS_IDS, CLASS_CONFIDENCE, CLASS_PROBABILITIES)
        )
        self._announced: Set[Size] = set()

    @classmethod
    def load(
        cls,
        model: str,
        engine: str = AUTO,
        input_size: Optional[Size] = None,
        precision: str = AUTO,
        threads: Optional[int] = None,
        *,
        head: Optional[str] = None,
        gpu_memory_fraction: Optional[float] = None,
        build: bool = False,
    ) -> "Segmenter":
        """Checks a graph, loads it into an engine and runs it once, so that no image waits.

        Args:
          model: path of the frozen graph.
          engine: name of an engine, or ``auto``: the first that is installed and runs the graph.
          input_size: (height, width) of the network's input; default is the card's, and
            without card or size there that of ``network_size.open_size``.
          precision: one of the engine's, or ``auto`` (float32).
          threads: how many threads compute; None leaves it to the engine.
          head: which head of a graph with several labels; None takes the card's default.
          gpu_memory_fraction: as in ``EngineOptions``.
          build: as in ``EngineOptions``.

        Raises:
          GraphError: the graph is missing, damaged, or has no such size or head.
          EngineError: the engine is missing or cannot run the graph as asked.
        """
        graph = read_frozen_graph(model)
        graph.head_classes(head)  # A wrong name is said before the engine takes its seconds.
        size = network_size(graph, input_size)
        check_size(graph, size)
        options = EngineOptions(precision, threads, gpu_memory_fraction, size, build).checked()

        def start(name: str) -> "Segmenter":
            runner = load_engine(name, graph, options)
            segmenter = cls(graph, name, runner, size, head)
            try:
                segmenter._warm_up()
            except Exception:
                segmenter.close()
                raise
            return segmenter

        segmenter, refusals = choose_engine(engine, graph.path, start)
        segmenter.refusals = refusals
        return segmenter

    @property
    def card(self) -> Optional[Card]:
        """The graph's card; None for a graph of PARIS-sem-seg."""
        return self.graph.card

    @property
    def digest(self) -> str:
        """SHA-256 of the graph without its card."""
        return self.graph.digest

    def segment(
        self,
        image: np.ndarray,
        second: Optional[np.ndarray] = None,
        probabilities: bool = False,
        confidence: bool = True,
    ) -> Segmentation:
        """Labels one image.

        Args:
          image: uint8 (H, W, 3) RGB, any size.
          second: for a graph with a second input only: the right image, or the disparity
            image, float32 (H, W) in pixels at the image's width.
          probabilities: whether to return the probabilities of all classes too.
          confidence: whether to return the labels' probability; labels alone need no softmax,
            which takes a third of a fast network's time.

        Raises:
          ImageError: the arrays are no such images.
          EngineError: the engine failed.
        """
        start = perf_counter()
        image = checked_image(image)
        fit = self.fit(image_size(image))
        feeds = {INPUT: _batch_of_one(fit.apply(image))}
        feeds.update(self._second_feed(fit, second))
        return self._infer(feeds, [fit], (probabilities, confidence), start)[0]

    def segment_batch(
        self, images: Sequence[np.ndarray], confidence: bool = True
    ) -> List[Segmentation]:
        """Labels several images, at once where the graph's batch size is open.

        Args:
          images: uint8 (H, W, 3) RGB each, of any sizes.
          confidence: whether to return the labels' probability.

        Raises:
          ImageError: an array is no such image.
          EngineError: the engine failed.
        """
        start = perf_counter()
        images = [checked_image(image) for image in images]
        fits = [self.fit(image_size(image)) for image in images]
        at_once = (
            len(self.graph.inputs) == 1
            and self.graph.inputs[0].shape[0] is None
            and len({fit.network_size for fit in fits}) == 1
        )
        if not at_once:
            return [self.segment(image, confidence=confidence) for image in images]
        batch = np.stack([fit.apply(image) for fit, image in zip(fits, images)])
        return self._infer({INPUT: batch}, fits, (False, confidence), start)

    def fit(self, image_size: Size) -> Fit:
        """Returns how an image of that (height, width) is placed in the network's input."""
        network_size = self.input_size or self._announced_size(image_size)
        card = self.graph.card
        if card is None:
            return Fit.create(image_size, network_size, SQUASH)
        return Fit.create(image_size, network_size, card.fit, card.interpolation)

    def close(self) -> None:
        """Frees the engine; the segmenter cannot be used any more."""
        self._runner.close()

    def __enter__(self) -> "Segmenter":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _infer(self, feeds, fits, wanted, start):
        fitted = perf_counter()
        labels, confidence, probabilities = self._run(feeds, *wanted)
        inferred = perf_counter()
        restored = [
            (
                fit.undo(labels[index]),
                None if confidence is None else fit.undo(confidence[index]),
                None if probabilities is None else fit.undo(probabilities[index]),
            )
            for index, fit in enumerate(fits)
        ]
        spans = (fitted - start, inferred - fitted, perf_counter() - inferred)
        timing = Timing(*[1000 * span / len(fits) for span in spans])
        return [Segmentation(*arrays, timing=timing) for arrays in restored]

    def _run(self, feeds, probabilities=False, confidence=False):
        """Returns labels, confidence [N, h, w] and probabilities [N, h, w, C], or None for each."""
        if probabilities or not self.graph.has_labels:
            (shares,) = self._runner.run(feeds, (self._probabilities,))
            labels = shares.argmax(axis=-1).astype(np.uint8)
            sure = shares.max(axis=-1) if confidence else None
            return labels, sure, shares if probabilities else None
        if not confidence:
            (labels,) = self._runner.run(feeds, (self._labels,))
            return labels, None, None
        labels, sure = self._runner.run(feeds, (self._labels, self._confidence))
        if sure.shape != labels.shape:
            raise GraphError(
                "%s makes labels of %s and their confidence of %s"
                % (self.graph.path, describe(labels), describe(sure))
            )
        return labels, sure, None

    def _announced_size(self, image_size):
        size = open_size(image_size)
        if size not in self._announced:
            self._announced.add(size)
            _log.info("images of %dx%d run at network size %dx%d", *(image_size + size))
        return size

    def _second_feed(self, fit, second):
        names = [found.name for found in self.graph.inputs]
        if len(names) != (1 if second is None else 2):
            raise ImageError(
                "%s takes %s; %s second image was given"
                % (self.graph.path, " and ".join(names), "no" if second is None else "a")
            )
        if second is None:
            return {}
        is_disparity = names[1] == DISPARITY
        second = checked_disparity(second) if is_disparity else checked_image(second)
        if second.shape[:2] != fit.image_size:
            raise ImageError(
                "the second image is %dx%d, the first %dx%d; both must be of one size"
                % (second.shape[:2] + fit.image_size)
            )
        fitted = fit.apply_disparity(second) if is_disparity else fit.apply(second)
        return {names[1]: _batch_of_one(fitted)}

    def _warm_up(self):
        """Runs once on zeros; shows whether the outputs have the sizes that they should."""
        shapes = input_shapes(self.graph, self.input_size)
        feeds = {
            found.name: np.zeros(shapes[found.name], found.dtype) for found in self.graph.inputs
        }
        labels, _, probabilities = self._run(feeds, probabilities=not self.graph.has_labels)
        channels = self.classes.num_classes if probabilities is None else probabilities.shape[3]
        expected = shapes[INPUT][:3]
        if labels.dtype != np.uint8 or labels.shape != expected:
            raise GraphError(
                "%s makes labels of %s; expected uint8 of shape %s"
                % (self.graph.path, describe(labels), "x".join(map(str, expected)))
            )
        if channels != self.classes.num_classes:
            raise GraphError(
                "%s makes probabilities of %d classes, its table names %d"
                % (self.graph.path, channels, self.classes.num_classes)
            )


def _batch_of_one(image):
    # Only here: a region of an image, which is not contiguous, is usually resized before.
    return np.ascontiguousarray(image)[np.newaxis]
