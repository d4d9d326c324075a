"""Augmented batches a second for each processor core.

    .venv/bin/python benchmarks/augmentation.py

As many samples as CamVid has, of 360x480, are kept in memory, as by `data.cache`: augmentation and
batching alone are measured. The first line is the crop of the experiments, with zoom, flip and
gamma. The configurations take turns. A core's seconds are those that the process used, so that
other programs do not count.
"""

import argparse
import itertools
import time
from dataclasses import dataclass

import cv2
import numpy as np

from semseg.data import AugmentationConfig
from semseg.data.batches.batches import SampleSource, batches
from semseg.data.samples.samples import TownSample

CROP = {"crop": (352, 480)}
USUAL = {**CROP, "flip": 0.5, "zoom": (0.6, 2.0), "gamma": 0.1}
CONFIGS = {
    "zoom, flip, gamma": USUAL,
    "crop alone": {**CROP, "flip": 0.0},
    "rotation, shear": {**CROP, "rotation_deg": 10.0, "shear_deg": 10.0},
    "shadow, illumination": {**CROP, "shadow": 0.5, "illumination": 0.3},
    "hue, saturation": {**CROP, "hue_deg": 20.0, "saturation": 0.3},
    "blur": {**CROP, "blur_px": 1.0},
    "noise": {**CROP, "noise": 0.05},
    "jpeg": {**CROP, "jpeg": 0.7},
    "class_mix": {**CROP, "class_mix": 0.5},
}
SAMPLES, BATCH_SIZE, BATCHES = 367, 8, 12


@dataclass
class MemorySample:
    name: str
    image: np.ndarray
    labels: np.ndarray

    def read(self):
        return self.image, self.labels

    def read_second(self):
        return None

    def read_right_labels(self):
        return None


def images_per_core_second(source, config):
    stream = batches(source, AugmentationConfig(**config), BATCH_SIZE, seed=0, threads=1)
    next(stream)
    # Batches are made ahead: those of before the start would be counted without their time.
    start, done = time.process_time(), 0
    for _ in itertools.islice(stream, BATCHES):
        done += BATCH_SIZE
    return done / (time.process_time() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    drawn = [TownSample("train", index, (360, 480)).read() for index in range(8)]
    source = SampleSource([MemorySample(f"{i}", *drawn[i % 8]) for i in range(SAMPLES)])
    rates = {name: [] for name in CONFIGS}
    for _ in range(arguments.rounds):
        for name, config in CONFIGS.items():
            rates[name].append(images_per_core_second(source, config))
    usual = np.array(rates["zoom, flip, gamma"])
    for name, measured in rates.items():
        ratio = np.median(np.array(measured) / usual)
        print(
            f"{name:<22} {np.median(measured):7.1f} images/s per core  ({ratio:.2f} of the first)"
        )


if __name__ == "__main__":
    main()
