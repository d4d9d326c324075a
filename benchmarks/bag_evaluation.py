"""How many times faster than it was recorded a bag is evaluated, and what that takes.

    .venv/bin/python benchmarks/bag_evaluation.py

A drive through the town, 640x480 at 10 Hz, by the profile `reduced` in its best engine, loaded
before: reading and decoding alone; with true labels; without (flips along optical flow). All but
the first count shares and confidence. On a machine that is busy with other things, the processor
time of a frame says what its cores could do if they were free.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from semseg.bags import BagWriter
from semseg.commands.flags import graph_path
from semseg.evaluation.frames.bag_frames import frames_from_bag
from semseg.evaluation.frames.sources import frames_from_town
from semseg.evaluation.loop import evaluate
from semseg.evaluation.outputs.bag_output import record
from semseg.evaluation.unlabelled.consistency import TemporalConsistency
from semseg.runtime import Segmenter

RATE_HZ = 10.0
SIZE = (480, 640)
DRAWN_SIZE = (240, 320)  # And enlarged: drawing takes longer than all that is measured.
IMAGES, LABELS = "/camera/image_raw", "/camera/labels"


def read(bag, segmenter):
    for _ in frames_from_bag(bag, IMAGES):
        pass


def with_labels(bag, segmenter):
    evaluate(segmenter, frames_from_bag(bag, IMAGES, LABELS))


def without_labels(bag, segmenter):
    consistency = TemporalConsistency(segmenter.classes)

    def watch(frame, result):
        consistency.add(frame, result.labels)

    evaluate(segmenter, frames_from_bag(bag, IMAGES), save=watch)


WORKS = {"reading alone": read, "with true labels": with_labels, "without labels": without_labels}


def measure(work, bag, segmenter):
    """Returns seconds and processor seconds."""
    wall, busy = time.perf_counter(), time.process_time()
    work(bag, segmenter)
    return time.perf_counter() - wall, time.process_time() - busy


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="reduced")
    parser.add_argument("--frames", type=int, default=40, help="default: %(default)s")
    parser.add_argument("--turns", type=int, default=2, help="default: %(default)s")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bag = Path(folder) / "drive.bag"
        with BagWriter(bag) as writer:
            frames = frames_from_town("train", RATE_HZ, DRAWN_SIZE).first(arguments.frames)
            record(writer, frames, RATE_HZ, size=SIZE)
        with Segmenter.load(graph_path(arguments.model)) as segmenter:
            taken = [
                [measure(work, bag, segmenter) for work in WORKS.values()]
                for _ in range(arguments.turns)
            ]
    cores = os.cpu_count()
    load = os.getloadavg()[0]
    print(f"{SIZE[1]}x{SIZE[0]} at {RATE_HZ:.0f} Hz; {cores} cores, load {load:.1f}")
    for name, spent in zip(WORKS, np.min(taken, axis=0) / arguments.frames, strict=True):
        wall, busy = spent
        print(
            f"{name:18} {1 / (RATE_HZ * wall):6.1f} x real time; {1000 * busy:6.1f} ms of processor"
            f" a frame, which {cores} free cores do at {cores / (RATE_HZ * busy):.1f} x at most"
        )


main()
