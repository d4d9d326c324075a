"""Processor time of counting and reading pairs of 1024x2048, and that of cityscapesscripts.

    .venv/bin/python benchmarks/scores.py [--compiled FOLDER]

All take turns, on one core. The compiled path of cityscapesscripts is in no wheel; in a checkout of
its repository ``CYTHONIZE_EVAL= python setup.py build_ext --inplace`` makes it.
"""

import argparse
import contextlib
import importlib.util
import io
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as official  # noqa: N813
from PIL import Image

from semseg import town
from semseg.classes import IGNORE
from semseg.data import load_dataset
from semseg.data.samples.label_decoder import LabelDecoder
from semseg.metrics import ConfusionMatrix
from semseg.runtime.images.geometry import resize_labels

SIZE = (1024, 2048)


def write_pairs(folder, count, raw_ids):
    """Writes streets of the town as labelIds, and predictions whose outlines are a little off."""
    pairs = []
    for index, drawn in enumerate(town.drive("val", count, rate_hz=2.0, size=(256, 512))):
        truth = resize_labels(drawn.labels, SIZE)
        found = resize_labels(cv2.medianBlur(drawn.labels, 5), SIZE)
        paths = [str(folder / f"{index}_{kind}.png") for kind in ("truth", "found")]
        for path, labels in zip(paths, (truth, found), strict=True):
            cv2.imwrite(path, raw_ids[labels])
        pairs.append(paths)
    return pairs


class Ours:
    def __init__(self, spec):
        self._decoder = LabelDecoder(spec)
        self.confusion = ConfusionMatrix(spec.classes.num_classes)

    def read(self, pair):
        return [self._decoder.read(path) for path in pair]

    def count(self, labels):
        self.confusion.update(*labels)

    def read_and_count(self, pair):
        self.count(self.read(pair))


class Theirs:
    """``evaluatePair`` without instances, by its pure-Python or its compiled counting."""

    def __init__(self, compiled=None):
        self._compiled = compiled
        official.args.evalInstLevelScore = False
        official.args.evalPixelAccuracy = False
        self.matrix = official.generateMatrix(official.args)

    def read_and_count(self, pair):
        official.CSUPPORT = self._compiled is not None
        official.addToConfusionMatrix = self._compiled
        truth, found = pair
        with contextlib.redirect_stdout(io.StringIO()):
            official.evaluatePair(found, truth, self.matrix, {}, {}, official.args)

    def count(self, images):
        """Counts pictures that are decoded already."""
        opened = official.Image
        official.Image = SimpleNamespace(open=images.get)
        try:
            self.read_and_count(("truth", "found"))
        finally:
            official.Image = opened


def load_compiled(folder):
    """Returns the module of cityscapesscripts' compiled counting; None if there is none."""
    found = list(Path(folder).rglob("addToConfusionMatrix*.so")) if folder else []
    if not found:
        return None
    name = "cityscapesscripts.evaluation.addToConfusionMatrix"
    spec = importlib.util.spec_from_file_location(name, found[0])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def milliseconds(function, *arguments):
    """Processor time: all of these work in one thread, and other load must not decide."""
    start = time.thread_time()
    function(*arguments)
    return 1000 * (time.thread_time() - start)


def measure(works, pairs, rounds, ours):
    """Returns name -> milliseconds of each turn."""
    spent = {name: [] for name in works}
    for _ in range(rounds):
        for pair in pairs:
            images = {k: Image.open(p) for k, p in zip(("truth", "found"), pair, strict=True)}
            for image in images.values():
                image.load()
            inputs = {"labels": ours.read(pair), "images": images, "pair": pair}
            for name, (function, wanted) in works.items():
                spent[name].append(milliseconds(function, inputs[wanted]))
    return spent


def assert_equal(ours, theirs, spec):
    """The counts must be the same, else the times say nothing."""
    ids = [spec.raw_ids(label)[0] for label in range(spec.classes.num_classes)]
    expected = theirs.matrix[np.ix_(ids, ids)]
    counts = ours.confusion.counts[:, :-1]
    assert np.array_equal(counts * int(expected.sum()), expected.astype(int) * int(counts.sum()))
    assert counts.sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiled", metavar="FOLDER", help="checkout that was compiled")
    parser.add_argument("--pairs", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    spec = load_dataset("cityscapes")
    raw_ids = np.full(256, spec.ignored[0], np.uint8)
    raw_ids[: town.TOWN_CLASSES.num_classes] = [
        spec.raw_ids(label)[0] for label in range(town.TOWN_CLASSES.num_classes)
    ]
    raw_ids[IGNORE] = spec.ignored[0]
    ours, pure, compiled_code = Ours(spec), Theirs(), load_compiled(arguments.compiled)
    works = {
        "ours, counting": (ours.count, "labels"),
        "pure Python, counting": (pure.count, "images"),
        "ours, with PNG": (ours.read_and_count, "pair"),
    }
    if compiled_code is not None:
        compiled = Theirs(compiled_code)
        works["compiled, with PNG"] = (compiled.read_and_count, "pair")
    with tempfile.TemporaryDirectory() as folder:
        pairs = write_pairs(Path(folder), arguments.pairs, raw_ids)
        spent = measure(works, pairs, arguments.rounds, ours)
    assert_equal(ours, pure, spec)
    for name, times in spent.items():
        print(f"{name:24} {np.median(times):8.2f} ms a pair ({min(times):.2f} at best)")
    slower = np.divide(spent["pure Python, counting"], spent["ours, counting"])
    print(f"pure Python is {np.median(slower):.0f} times slower at counting")
    if compiled_code is None:
        print("no compiled cityscapesscripts (--compiled): its path is left out")
    else:
        slower = np.divide(spent["compiled, with PNG"], spent["ours, with PNG"])
        print(f"the compiled path takes {np.median(slower):.2f} times as long, PNG included")


if __name__ == "__main__":
    main()
