"""How many times faster than it was recorded a bag is evaluated; and cores that were busy.

    .venv/bin/python benchmarks/bag_evaluation.py

A drive through the town, 640x480 at 10 Hz, by the profile `reduced` in its best engine, in turns:
reading and decoding alone; with true labels; without (flips along optical flow); and compared with
the profile `full`. All but the first include flips, shares and confidence.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from semseg.bags import BagWriter
from semseg.evaluation.bag_frames import frames_from_bag
from semseg.evaluation.bag_run import score_bag
from semseg.evaluation.recording import record
from semseg.evaluation.sources import frames_from_town

RATE_HZ = 10.0
SIZE = (480, 640)
IMAGES, LABELS = "/camera/image_raw", "/camera/labels"
SETTINGS = {
    "reading alone": None,
    "with true labels": {"label_topic": LABELS},
    "without": {},
    "with another model": {"other_model": "full"},
}


def evaluate(bag, model, options):
    if options is None:
        for _ in frames_from_bag(bag, IMAGES):
            pass
        return
    given = {"bag": bag, "model": model, "image_topic": IMAGES, "engine": "auto"} | options
    unset = ("label_topic", "other_model", "output", "compare", "log", "size", "min_miou")
    given |= {"force": False, "max_latency": None}
    score_bag(argparse.Namespace(**(dict.fromkeys(unset) | given)))


def measure(bag, model, options):
    """Returns seconds and processor seconds, without the loading of the model."""
    wall, busy = time.perf_counter(), time.process_time()
    evaluate(bag, model, options)
    return np.array([time.perf_counter() - wall, time.process_time() - busy])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="reduced")
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        long, short = Path(folder) / "long.bag", Path(folder) / "short.bag"
        frames = frames_from_town("train", RATE_HZ, SIZE)
        for path, count in ((short, 10), (long, 10 + arguments.frames)):
            with BagWriter(path) as writer:
                record(writer, frames.first(count), RATE_HZ)
        drive_s = arguments.frames / RATE_HZ
        # The difference of a long and a short bag has no loading of models in it.
        taken = np.array(
            [
                [
                    measure(long, arguments.model, options)
                    - measure(short, arguments.model, options)
                    for options in SETTINGS.values()
                ]
                for _ in range(arguments.turns)
            ]
        )
    print(f"{drive_s:.0f} s of {SIZE[1]}x{SIZE[0]} at {RATE_HZ:.0f} Hz, {os.cpu_count()} cores")
    for name, (wall, busy) in zip(SETTINGS, np.median(taken, axis=0), strict=True):
        print(f"{name:20s} {drive_s / wall:6.1f} x real time, {busy / wall:4.1f} cores busy")


main()
