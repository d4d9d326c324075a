"""Time of a training step with data, against the same step on a batch that is there already.

    .venv/bin/python benchmarks/input_pipeline.py --root CAMVID \\
        --config config/experiments/camvid_resnet_baseline_8.yaml

Both take turns, so that a machine that slows down slows both. The first steps of a turn are not
timed: they use up what was read ahead, or wait until the readers have done so.
"""

import argparse
import itertools
import time

import numpy as np

from semseg.training.config.experiment import load_config, parse_roots
from semseg.training.fake_input import fake_steps
from semseg.training.learning_data import LearningData
from semseg.training.training_step import TrainingStep


def seconds(step, batches, accumulate, untimed, timed):
    durations = []
    for number in range(untimed + timed):
        start = time.perf_counter()
        step.run(list(itertools.islice(batches, accumulate)), number)
        durations.append(time.perf_counter() - start)
    return float(np.median(durations[untimed:]))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", required=True)
    parser.add_argument("--root", action="append", default=[], metavar="[NAME=]DIR")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--untimed", type=int, default=5, help="first steps of a turn")
    parser.add_argument("--timed", type=int, default=5, help="steps of a turn that are timed")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()

    config = load_config(arguments.config, arguments.set)
    data = LearningData(config, parse_roots(arguments.root, config.data.names))
    fake_step, fake_batches = fake_steps(config)
    turns = (config.training.accumulate, arguments.untimed, arguments.timed)
    real_step, real = TrainingStep(fake_step.model, data.targets), data.batches(start=0)
    pairs = [
        (
            seconds(fake_step, itertools.cycle(fake_batches), *turns),
            seconds(real_step, real, *turns),
        )
        for _ in range(arguments.turns)
    ]
    for name, times in zip(("fake input", "data"), zip(*pairs)):
        print(f"{name:10s} {1000 * np.median(times):8.1f} ms a step")
    ratios = [with_data / without for without, with_data in pairs]
    spread = f"{min(ratios):.3f} to {max(ratios):.3f} of {len(ratios)} turns"
    print(f"ratio      median {np.median(ratios):.3f}, {spread}")


main()
