"""Speed of a training step against the same layers in TensorFlow 1.15, as a ratio of one run.

    .venv/bin/python benchmarks/training_step.py --tf1-python .venv-robot/bin/python

Both programs stay alive and take turns, so that a machine that slows down slows both.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from semseg import training  # noqa: F401 - see KerasProgram
from semseg.networks import NETWORKS
from semseg.runtime.processor import instruction_set

NUM_CLASSES = 11
NOT_FOR_TF1 = ("TF2_BEHAVIOR", "PYTHONPATH")
"""Set by TensorFlow 2 and by ROS; the other interpreter would import this one's libraries."""


class Tf1Program:
    """The program of training_step_tf1.py in its own interpreter."""

    def __init__(self, python, arguments):
        self._process = subprocess.Popen(
            [
                python,
                "-W",
                "ignore",
                str(Path(__file__).with_name("training_step_tf1.py")),
                *map(str, arguments),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={k: v for k, v in os.environ.items() if k not in NOT_FOR_TF1},
            text=True,
        )
        self.parameters = int(self._answer("parameters"))

    def _answer(self, word):
        for line in self._process.stdout:
            if line.startswith(word):
                return float(line.split()[1])
        sys.exit("error: the TensorFlow 1.15 program ended; is it the right interpreter?")

    def seconds(self):
        print(file=self._process.stdin, flush=True)
        return self._answer("seconds")


class KerasProgram:
    """The same step with this package's network."""

    def __init__(self, height, width, batch, base_width, steps):
        import keras  # after semseg.training, which sets what TensorFlow reads at its import

        self._model = NETWORKS["resnet_baseline"](NUM_CLASSES, base_width=base_width)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self._model.compile(optimizer="adam", loss=loss, jit_compile=False)
        rng = np.random.default_rng(0)
        self._images = rng.uniform(0, 255, (batch, height, width, 3)).astype(np.float32)
        self._labels = rng.integers(0, NUM_CLASSES, (batch, height, width), dtype=np.int32)
        self._steps = steps
        self._model.train_on_batch(self._images, self._labels)
        self.parameters = sum(int(np.prod(v.shape)) for v in self._model.trainable_variables)

    def seconds(self):
        seconds = []
        for _ in range(self._steps):
            start = time.perf_counter()
            self._model.train_on_batch(self._images, self._labels)
            seconds.append(time.perf_counter() - start)
        return float(np.median(seconds))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tf1-python", default=".venv-robot/bin/python")
    parser.add_argument("--height", type=int, default=192)
    parser.add_argument("--width", type=int, default=448)
    parser.add_argument("--batch", type=int, default=5)
    parser.add_argument("--base-width", type=int, default=8)
    parser.add_argument("--steps", type=int, default=5, help="steps per turn")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    shape = (
        arguments.height,
        arguments.width,
        arguments.batch,
        arguments.base_width,
        arguments.steps,
    )
    tf1, ours = Tf1Program(arguments.tf1_python, shape), KerasProgram(*shape)
    if tf1.parameters != ours.parameters:
        sys.exit(f"error: {tf1.parameters} parameters in TF 1.15, {ours.parameters} here")
    pairs = [(tf1.seconds(), ours.seconds()) for _ in range(arguments.turns)]
    for name, seconds in zip(("TF 1.15", "semseg"), zip(*pairs)):
        print(
            f"{name:8s} {1000 * np.median(seconds):8.1f} ms a step, "
            f"{arguments.batch / np.median(seconds):6.2f} images/s"
        )
    ratios = [before / after for before, after in pairs]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f} of {len(ratios)} turns"
    print(f"{instruction_set()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"ratio    median {np.median(ratios):.2f}, {spread}")


main()
