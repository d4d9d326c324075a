"""Compares frozen graphs and engines fairly: a process each, taking turns on the same image.

Turns, because a machine's clock and load drift: what runs minutes later is not comparable.
A process each, so that load time and memory are those of one engine alone.
"""

import multiprocessing
import os
import resource
import sys
import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from semseg.errors import EngineError, SemsegError
from semseg.runtime.engines import ENGINES
from semseg.runtime.geometry import Size
from semseg.runtime.segmenter import Segmenter
from semseg.runtime.tensor_names import DISPARITY

_WARM_UP_TURNS = 2


class Row(NamedTuple):
    """What was measured of one graph in one engine.

    Attributes:
      model: path of the graph.
      engine: the engine, with its version.
      precision: what it computed in.
      load_s: seconds from nothing to the first labels, the engine's import included.
      median_ms: median time of an inference.
      p95_ms: its 95th percentile.
      peak_mib: the process's largest resident memory.
      agreement: share of pixels with the labels of the first row.
    """

    model: str
    engine: str
    precision: str
    load_s: float
    median_ms: float
    p95_ms: float
    peak_mib: float
    agreement: float

    @property
    def fps(self) -> float:
        """Inferences per second at the median."""
        return 1000 / self.median_ms


class Contest(NamedTuple):
    """What all contestants have in common.

    Attributes:
      size: (height, width) of the image and of the network's input.
      precision: as in ``Segmenter.load``.
      threads: as in ``Segmenter.load``.
      turns: timed inferences of each.
    """

    size: Size
    precision: str = "auto"
    threads: Optional[int] = None
    turns: int = 50


def benchmark(
    models: Sequence[str], engines: Sequence[str], contest: Contest
) -> Tuple[List[Row], List[str]]:
    """Runs every graph in every engine.

    Returns:
      One row for each pair that runs, and the reasons of those that do not.

    Raises:
      GraphError: a graph is unusable.
      EngineError: not one pair runs.
    """
    contestants, failures = [], []
    for model in models:
        for engine in engines:
            try:
                contestants.append(_Contestant(model, engine, contest))
            except EngineError as error:
                failures.append("%s in %s: %s" % (model, engine, error))
    if not contestants:
        raise EngineError("nothing to compare: %s" % "; ".join(failures))
    times: List[List[float]] = [[] for _ in contestants]
    labels: List[Any] = [None] * len(contestants)
    for turn in range(_WARM_UP_TURNS + contest.turns):
        for index, contestant in enumerate(contestants):
            milliseconds, labels[index] = contestant.take_turn()
            if turn >= _WARM_UP_TURNS:
                times[index].append(milliseconds)
    rows = [
        contestant.close(times[index], float((labels[index] == labels[0]).mean()))
        for index, contestant in enumerate(contestants)
    ]
    return rows, failures


def installed_engines() -> List[str]:
    """Names of the engines that can be imported here."""
    return [name for name, entry in ENGINES.items() if entry.installed]


def device() -> Dict[str, Any]:
    """Returns what the numbers depend on besides the engines: processor, cores, Python."""
    names = set()
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith(("model name", "Hardware")):
                names.add(line.split(":", 1)[1].strip())
    return {
        "processor": ", ".join(sorted(names)) or "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "python": sys.version.split()[0],
        "load": os.getloadavg()[0],
    }


def street_like_image(size: Size) -> np.ndarray:
    """Returns an image of blurred colour patches with some noise, uint8 (H, W, 3)."""
    random = np.random.RandomState(0)
    patches = random.randint(0, 256, (6, 10, 3)).astype(np.uint8)
    image = cv2.resize(patches, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    noise = random.randint(-8, 9, image.shape)
    return np.clip(image.astype(np.int16) + noise, 0, 255).astype(np.uint8)


class _Contestant:
    """A graph in an engine in a process of its own."""

    def __init__(self, model, engine, contest):
        context = multiprocessing.get_context("spawn")
        self._model = model
        self._pipe, remote = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(remote, model, engine, contest), daemon=True
        )
        self._process.start()
        remote.close()
        self._engine, self._precision, self._load_s = self._receive()

    def take_turn(self):
        self._pipe.send(True)
        return self._receive()

    def close(self, times, agreement):
        self._pipe.send(False)
        peak_mib = self._receive()
        self._process.join()
        return Row(
            model=self._model,
            engine=self._engine,
            precision=self._precision,
            load_s=self._load_s,
            median_ms=float(np.median(times)),
            p95_ms=float(np.percentile(times, 95)),
            peak_mib=peak_mib,
            agreement=agreement,
        )

    def _receive(self):
        try:
            answer = self._pipe.recv()
        except EOFError:
            self._process.join()
            raise EngineError("its process died with status %s" % self._process.exitcode)
        if isinstance(answer, SemsegError):
            raise answer
        return answer


def _serve(pipe, model, engine, contest):
    start = time.perf_counter()
    try:
        segmenter = Segmenter.load(
            model, engine, contest.size, contest.precision, threads=contest.threads
        )
    except SemsegError as error:
        pipe.send(error)
        return
    load_s = time.perf_counter() - start
    version = sys.modules[ENGINES[engine].package].__version__.split("-")[0]
    pipe.send(("%s %s" % (engine, version), segmenter.precision, load_s))
    image = street_like_image(contest.size)
    second = _second_image(segmenter, image)
    while pipe.recv():
        result = segmenter.segment(image, second)
        pipe.send((result.timing.inference_ms, result.labels))
    pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _second_image(segmenter, image):
    """Returns what a network sees beside the image: the same from the right, unknown disparity."""
    second = [found.name for found in segmenter.graph.inputs[1:]]
    if not second:
        return None
    return np.zeros(image.shape[:2], np.float32) if second == [DISPARITY] else image
