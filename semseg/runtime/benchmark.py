"""Compares frozen graphs and engines fairly: a process each, taking turns on the same images.

Turns, because a machine's clock and load drift: what runs minutes later is not comparable.
A process each, so that load time and memory are those of one engine alone; it may run in
another Python, such as a robot's with TensorFlow 1.15. The result is a table and JSON.
"""

import glob
import json
import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from semseg.errors import EngineError, ImageError
from semseg.files import write_file
from semseg.runtime.benchmark_process import PICKLE_PROTOCOL
from semseg.runtime.engines import AUTO, ENGINES
from semseg.runtime.images import image_file
from semseg.runtime.images.geometry import Size, resize_image, resize_labels
from semseg.runtime.processor import instruction_set

_log = logging.getLogger(__name__)

_WARM_UP_TURNS = 2
_ROOT = Path(__file__).resolve().parents[2]
_INHERITED_NOISE = ("TF2_BEHAVIOR",)  # TensorFlow 2 sets it, and 1.15 obeys it.


class Entrant(NamedTuple):
    """What is measured: a graph in an engine at a size.

    Attributes:
      model: path of the graph.
      engine: name of the engine.
      size: (height, width) of the image and of the network's input.
      precision: as in ``Segmenter.load``.
      python: the interpreter that runs it; None is this one.
      tensors: for a graph of another program: its input tensor, then its outputs, of which the
        first gives labels or scores.
    """

    model: str
    engine: str
    size: Size = (256, 512)
    precision: str = AUTO
    python: Optional[str] = None
    tensors: Tuple[str, ...] = ()

    @classmethod
    def parse(cls, model: str, engine: str, size: Size) -> "Entrant":
        """Reads ``ENGINE[:PRECISION][@PYTHON]``, as ``scripts/benchmark.py`` takes it."""
        engine, _, python = engine.partition("@")
        engine, _, precision = engine.partition(":")
        return cls(model, engine, size, precision or AUTO, python or None)

    def __str__(self) -> str:
        engine = self.engine if self.precision == AUTO else self.engine + ":" + self.precision
        where = "@" + self.python if self.python else ""
        size = "%dx%d" % tuple(self.size)
        return "%s in %s%s at %s" % (self.model, engine, where, size)


class Row(NamedTuple):
    """What was measured of an entrant.

    Attributes:
      model: path of the graph.
      engine: the engine, with its version.
      precision: what it computed in.
      size: (height, width).
      load_s: seconds from the start of the process until the first labels.
      first_ms: the part of it that the first inference took.
      median_ms: median time of an inference: the engine's call alone.
      p95_ms: its 95th percentile.
      resident_mib: resident memory of the process after the first labels.
      peak_mib: its largest resident memory.
      parameters: see ``GraphCosts``.
      gmacs: 1e9 multiply-accumulates of an inference.
      agreement: share of pixels with the labels of the first row of that size; None if it labels
        at another resolution.
    """

    model: str
    engine: str
    precision: str
    size: Size
    load_s: float
    first_ms: float
    median_ms: float
    p95_ms: float
    resident_mib: float
    peak_mib: float
    parameters: int
    gmacs: float
    agreement: Optional[float]

    @property
    def fps(self) -> float:
        """Inferences per second at the median."""
        return 1000 / self.median_ms


def benchmark(
    entrants: Sequence[Entrant],
    turns: int = 50,
    threads: Optional[int] = None,
    images: Sequence[np.ndarray] = (),
) -> Tuple[List[Row], Dict[Entrant, str]]:
    """Runs all entrants in turns.

    Args:
      entrants: what is compared.
      turns: timed inferences of each.
      threads: threads of each engine; None leaves them to it.
      images: uint8 [H, W, 3] RGB of any size, taken one after another; default is a made one.

    Returns:
      One row for each entrant that runs, in their order, and the reasons of those that do not.

    Raises:
      EngineError: not one runs.
    """
    pictures = {size: _pictures(images, size) for size in {tuple(e.size) for e in entrants}}
    racers: List[_Racer] = []
    failures: Dict[Entrant, str] = {}
    for entrant in tqdm(entrants, desc="load", disable=None):
        try:
            racers.append(_Racer(entrant, threads, pictures[tuple(entrant.size)]))
        except EngineError as error:
            failures[entrant] = str(error)
    if not racers:
        reasons = ("%s: %s" % failure for failure in failures.items())
        raise EngineError("nothing to compare: %s" % "; ".join(reasons))
    for turn in tqdm(range(-_WARM_UP_TURNS, turns), desc="turns", disable=None):
        references: Dict[Size, np.ndarray] = {}
        for racer in racers:
            labels = racer.take_turn(turn)
            racer.compare(labels, references.setdefault(tuple(racer.entrant.size), labels))
    return [racer.finish() for racer in racers], failures


def installed_engines() -> List[str]:
    """Names of the engines that can be imported here, without those that take minutes."""
    return [name for name, entry in ENGINES.items() if entry.installed and entry.automatic]


def device() -> Dict[str, Any]:
    """Returns what the numbers depend on besides the engines: processor, cores, Python, load."""
    names = set()
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith(("model name", "Hardware")):
                names.add(line.split(":", 1)[1].strip())
    return {
        "processor": ", ".join(sorted(names)) or "unknown",
        "instructions": instruction_set(),
        "cores": len(os.sched_getaffinity(0)),
        "python": sys.version.split()[0],
        "load": os.getloadavg()[0],
    }


def read_images(pattern: Optional[str]) -> List[np.ndarray]:
    """Reads the image files that a glob pattern names, uint8 [H, W, 3] RGB; none without one.

    A file that cannot be read is left out, named and counted.

    Raises:
      ImageError: there is none, or none can be read.
    """
    images, skipped = [], []
    for path in sorted(glob.glob(pattern or "")):
        try:
            images.append(image_file.read_image(path))
        except ImageError as error:
            skipped.append(error)
            _log.warning("skipped: %s", error)
    if skipped and not images:
        raise ImageError("none of %d files can be read: %s" % (len(skipped), skipped[0]))
    if skipped:
        _log.warning("%d of %d images skipped", len(skipped), len(skipped) + len(images))
    if pattern and not images:
        raise ImageError("no file is named like %s" % pattern)
    return images


def street_like_image(size: Size) -> np.ndarray:
    """Returns an image of colour patches with some noise, uint8 (H, W, 3)."""
    random = np.random.RandomState(0)
    patches = random.randint(0, 256, (6, 10, 3))
    image = resize_labels(patches, size) + random.randint(-8, 9, tuple(size) + (3,))
    return np.clip(image, 0, 255).astype(np.uint8)


def _pictures(images, size):
    made = [np.ascontiguousarray(resize_image(image, size)) for image in images]
    return made or [street_like_image(size)]


class _Racer:
    """An entrant in its process."""

    def __init__(self, entrant, threads, images):
        self.entrant = entrant
        self._images, self._times, self._shares = images, [], []
        start = perf_counter()
        self._process = _start(entrant, threads)
        self._loaded = self._ask(images[0])
        self._load_s = perf_counter() - start

    def take_turn(self, turn):
        """Returns the labels of the turn's image; turns below 0 are not timed."""
        milliseconds, labels = self._ask(self._images[turn % len(self._images)])
        if turn >= 0:
            self._times.append(milliseconds)
        return labels

    def compare(self, labels, reference):
        same_size = labels.shape == reference.shape
        self._shares.append(np.mean(labels == reference) if same_size else None)

    def finish(self):
        peak_mib = self._ask(None)
        self._process.communicate()
        return Row(
            model=self.entrant.model,
            size=self.entrant.size,
            load_s=self._load_s,
            median_ms=float(np.median(self._times)),
            p95_ms=float(np.percentile(self._times, 95)),
            peak_mib=peak_mib,
            agreement=None if None in self._shares else float(np.mean(self._shares)),
            **self._loaded,
        )

    def _ask(self, image):
        try:
            pickle.dump(image, self._process.stdin, PICKLE_PROTOCOL)
            self._process.stdin.flush()
        except OSError:
            pass  # It has ended; its last answer says why.
        try:
            answer = pickle.load(self._process.stdout)
        except EOFError:
            raise EngineError("its process died with status %s" % self._process.wait())
        if isinstance(answer, str):
            self._process.communicate()
            raise EngineError(answer)
        return answer


def _start(entrant, threads):
    arguments = {
        "model": str(entrant.model),
        "engine": entrant.engine,
        "precision": entrant.precision,
        "size": entrant.size,
        "threads": threads,
        "tensors": entrant.tensors,
    }
    environment = {key: text for key, text in os.environ.items() if key not in _INHERITED_NOISE}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(_ROOT), environment.get("PYTHONPATH")))
    )
    module = ["-W", "ignore", "-m", "semseg.runtime.benchmark_process", json.dumps(arguments)]
    try:
        return subprocess.Popen(
            [entrant.python or sys.executable] + module,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
    except OSError as error:
        raise EngineError("cannot start %s: %s" % (entrant.python, error.strerror))


_TITLES = (
    "model",
    "engine",
    "precision",
    "size",
    "median ms",
    "p95 ms",
    "fps",
    "load s",
    "first ms",
    "MiB",
    "peak",
    "Mparam",
    "GMAC",
    "equal %",
)


def table(rows: Sequence[Row], threads: Optional[int] = None) -> List[str]:
    """Returns the lines of a table, under one that states the machine."""
    cells = [_TITLES] + [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = [
        "%(processor)s, %(instructions)s, %(cores)d cores, Python %(python)s, load %(load).1f"
        % device(),
        "batch 1, threads: %s; load s: from the process's start to the first labels"
        % (threads or "the engine's own"),
    ]
    for line in cells:
        texts = [cell.ljust(width) for cell, width in zip(line[:4], widths)]
        figures = [cell.rjust(width) for cell, width in zip(line[4:], widths[4:])]
        lines.append("  ".join(texts + figures))
    return lines


def write_report(
    path: str, rows: Sequence[Row], failures: Mapping[Entrant, str], **conditions
) -> None:
    """Writes rows, failures and conditions as JSON."""
    record = {
        "device": device(),
        "conditions": conditions,
        "rows": [dict(row._asdict(), fps=row.fps) for row in rows],
        "failures": {str(entrant): reason for entrant, reason in failures.items()},
    }
    write_file(path, json.dumps(record, indent=2).encode())


def _cells(row):
    return (
        os.path.basename(row.model),
        row.engine,
        row.precision,
        "%dx%d" % tuple(row.size),
        "%.1f" % row.median_ms,
        "%.1f" % row.p95_ms,
        "%.1f" % row.fps,
        "%.2f" % row.load_s,
        "%.0f" % row.first_ms,
        "%.0f" % row.resident_mib,
        "%.0f" % row.peak_mib,
        "%.2f" % (row.parameters / 1e6),
        "%.2f" % row.gmacs,
        "-" if row.agreement is None else "%.2f" % (100 * row.agreement),
    )
