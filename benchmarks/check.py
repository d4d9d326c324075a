"""Seconds that a check of a dataset takes, and the share of it that decoding alone would take.

    .venv/bin/python benchmarks/check.py

500 pairs of 360x480 of the synthetic town. The two take turns.
"""

import argparse
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from semseg.data import load_dataset, samples
from semseg.data.check.check import check
from semseg.data.prepare import Settings, prepare
from semseg.data.samples.samples import TownSample
from semseg.files import write_png

SIZE = (360, 480)


def write_dataset(folder, count, drawn=20):
    """Writes ``count`` pairs: ``drawn`` frames, and versions of them that differ in brightness."""
    frames = [TownSample("train", 20 * index, SIZE) for index in range(drawn)]
    prepare(load_dataset("town"), {"train": frames}, folder, Settings())
    spec = load_dataset(folder)
    found = samples(spec, None, "train")
    for index in range(count - drawn):
        image, labels = found[index % drawn].read()
        image[0, 0] = index // 256, index % 256, 0  # else it would be the same image
        write_png(folder / f"images/train/copy{index:05d}.png", image)
        write_png(folder / f"labels/train/copy{index:05d}.png", labels)
    return spec


def decode(found):
    def work(sample):
        for path in (sample.image_path, sample.label_path):
            cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, found))


def seconds(function, *arguments, **options):
    start = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=500, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spec = write_dataset(Path(folder, "data"), arguments.pairs)
        found, cache = samples(spec, None, "train"), Path(folder, "cache")
        checks, decodings = [], []
        for _ in range(arguments.rounds):
            checks.append(seconds(check, spec, None))
            decodings.append(seconds(decode, found))
        check(spec, None, cache=cache)
        again = seconds(check, spec, None, cache=cache)
    share = np.median(np.divide(decodings, checks))
    print(f"check of {len(found)} pairs: {np.median(checks):.2f} s ({min(checks):.2f} at best)")
    print(f"decoding alone: {share:.0%} of that; a second check, from the cache: {again:.2f} s")


if __name__ == "__main__":
    main()
