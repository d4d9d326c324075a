"""Speed and memory of preparing a dataset, as ratios of one run.

    .venv/bin/python benchmarks/preparation.py

Pairs of 1024x2048 of the synthetic town, as PNG, are downscaled by 4 with class vote. Compared
with one-hot float64 arrays in a single process, and with decoding and encoding alone on as many
threads. The three take turns, so that a machine that slows down slows all.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples
from semseg.data.prepare import Settings, prepare
from semseg.data.samples.samples import TownSample

SIZE, FACTOR = (1024, 2048), 4
CLASSES = 19  # Cityscapes: one-hot arrays pay for each class, and for void


def write_dataset(folder, count, drawn=4):
    """Writes ``count`` pairs, which are copies of ``drawn`` frames."""
    frames = [TownSample("train", 100 * index, SIZE) for index in range(drawn)]
    prepare(load_dataset("town"), {"train": frames}, folder, Settings())
    for index in range(count - drawn):
        for kind in ("images", "labels"):
            names = sorted(os.listdir(folder / kind / "train"))[:drawn]
            source = folder / kind / "train" / names[index % drawn]
            shutil.copy(source, source.with_name(f"copy{index:05d}.png"))
    return load_dataset(folder)


def ours(spec, output, count=None):
    shutil.rmtree(output, ignore_errors=True)
    found = {"train": samples(spec, None, "train")[:count]}
    prepare(spec, found, output, Settings(downscale=FACTOR))


def one_hot(found, output):
    """Sums one-hot float64 arrays over blocks, as scripts of other projects do."""
    for sample in found:
        image = cv2.imread(str(sample.image_path))
        labels = cv2.imread(str(sample.label_path), cv2.IMREAD_UNCHANGED)
        height, width = (side // FACTOR for side in labels.shape)
        ids = np.minimum(labels, CLASSES)
        votes = np.eye(CLASSES + 1)[ids].reshape(height, FACTOR, width, FACTOR, -1).sum((1, 3))
        winners = votes.argmax(-1).astype(np.uint8)
        winners[(votes.max(-1) < 0.75 * FACTOR**2) | (winners == CLASSES)] = IGNORE
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        cv2.imwrite(f"{output}/image.png", small)
        cv2.imwrite(f"{output}/labels.png", winners)


def decode_and_encode(found, results):
    """Decodes each pair and encodes the prepared one, on all processors."""

    def work(sample, result):
        for path, pixels in zip((sample.image_path, sample.label_path), result, strict=True):
            cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
            cv2.imencode(".png", pixels)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, found, results))


def seconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def peak_memory(spec, output, count, queue):
    ours(spec, output, count)
    queue.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def memory_mb(spec, output, count):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=peak_memory, args=(spec, output, count, queue))
    process.start()
    process.join()
    return queue.get()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=32, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spec, output = write_dataset(Path(folder, "raw"), arguments.pairs), Path(folder, "small")
        found = samples(spec, None, "train")
        ours(spec, output)
        results = [sample.read() for sample in samples(load_dataset(output), None, "train")]
        ways = {
            "ours": (partial(ours, spec, output), len(found)),
            "one-hot": (partial(one_hot, found[:4], folder), 4),
            "decode + encode": (partial(decode_and_encode, found, results), len(found)),
        }
        rates = {name: [] for name in ways}
        for _ in range(arguments.rounds):
            for name, (way, pairs) in ways.items():
                rates[name].append(pairs / seconds(way))
        for name, measured in rates.items():
            print(f"{name:<16} {np.median(measured):7.2f} pairs/s")
        for name in ("one-hot", "decode + encode"):
            ratios = np.divide(rates["ours"], rates[name])
            least, greatest = min(ratios), max(ratios)
            print(f"ours / {name:<16} {np.median(ratios):6.2f}  ({least:.2f} .. {greatest:.2f})")
        few, many = (memory_mb(spec, output, count) for count in (len(found) // 4, len(found)))
        print(
            f"peak memory: {few:.0f} MB for {len(found) // 4} pairs, {many:.0f} MB for {len(found)}"
        )


if __name__ == "__main__":
    main()
