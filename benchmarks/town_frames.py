"""Frames a second of the synthetic town on one core: shuffled as training reads it, and in order.

    .venv/bin/python benchmarks/town_frames.py --scenes 60

Each measurement starts in a fresh process, so that nothing is left from another, and draws frames
of other scenes first, since textures are made once. To compare with an earlier version, give the
folder of its checkout; the two then take turns.

    .venv/bin/python benchmarks/town_frames.py --against ../semseg-before
"""

import argparse
import os
import subprocess
import sys

import numpy as np

MEASURE = """
import random, sys, time
import cv2
from semseg.town import frame
cv2.setNumThreads(1)
order, frames = sys.argv[1], int(sys.argv[2])
numbers = list(range(frames))
if order == "shuffled":
    random.Random(0).shuffle(numbers)
for number in range(0, 120, 4):
    frame("val", number)
start = time.process_time()
for number in numbers:
    frame("train", number)
print(frames / (time.process_time() - start))
"""


def frames_per_second(checkout, order, frames):
    # Python looks for modules in the folder that it is started in before all others.
    command = [sys.executable, "-c", MEASURE, order, str(frames)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--against", metavar="DIR", help="checkout of another version")
    parser.add_argument("--scenes", type=int, default=30, help="scenes of ten frames")
    parser.add_argument("--turns", type=int, default=2)
    arguments = parser.parse_args()
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    checkouts = [folder for folder in (arguments.against, here) if folder]
    for order in ("shuffled", "ordered"):
        rates = np.array(
            [
                [frames_per_second(folder, order, 10 * arguments.scenes) for folder in checkouts]
                for _ in range(arguments.turns)
            ]
        )
        print(f"{order:9s}" + "".join(f"{rate:8.1f} frames/s" for rate in np.median(rates, 0)))
        if len(checkouts) > 1:
            ratios = rates[:, 1] / rates[:, 0]
            print(f"{'':9s}ratio {np.median(ratios):.2f}, {ratios.min():.2f} to {ratios.max():.2f}")


main()
