"""Time of a training step with a teacher, against the same step without one, data included.

    .venv/bin/python benchmarks/teacher.py --root CAMVID --teacher models/camvid_full.pb \\
        --config config/experiments/camvid_fast_scnn.yaml

The teacher sees all images before, which is timed too; its soft labels are then on the disk. Both
take turns, so that a machine that slows down slows both. The first steps of a turn are not timed:
they use up what was read ahead, or wait until the readers have done so.
"""

import argparse
import itertools
import os
import time

import numpy as np

from semseg.networks.heads import with_teacher
from semseg.training.building import build_network, compile_model
from semseg.training.config.experiment import load_config, parse_roots
from semseg.training.learning_data import LearningData
from semseg.training.training_step import TrainingStep


class Run:
    """Steps of an experiment, on its data."""

    def __init__(self, config, roots):
        self._data = LearningData(config, roots)
        began = time.perf_counter()
        self._data.prepare()
        self.prepared = time.perf_counter() - began
        model = build_network(config.network, self._data.num_classes, config.data.second)
        if self._data.teacher is not None:
            model = with_teacher(model, self._data.teacher.head)
        compile_model(model, config, self._data.heads, self._data.train_samples)
        self._step = TrainingStep(model, self._data.targets)
        self._stream = self._data.batches(start=0)
        self._accumulate = config.training.accumulate

    def seconds(self, untimed, timed):
        durations = []
        for number in range(untimed + timed):
            start = time.perf_counter()
            self._step.run(list(itertools.islice(self._stream, self._accumulate)), number)
            durations.append(time.perf_counter() - start)
        return float(np.median(durations[untimed:]))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", required=True)
    parser.add_argument("--teacher", required=True, metavar="GRAPH.pb")
    parser.add_argument("--root", action="append", default=[], metavar="[NAME=]DIR")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--untimed", type=int, default=3, help="first steps of a turn")
    parser.add_argument("--timed", type=int, default=5, help="steps of a turn that are timed")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()

    teacher = f"loss.teacher={arguments.teacher}"
    configs = [load_config(arguments.config, [*arguments.set, *more]) for more in ([], [teacher])]
    roots = parse_roots(arguments.root, configs[0].data.names)
    without, taught = (Run(config, roots) for config in configs)
    turn = (arguments.untimed, arguments.timed)
    pairs = [(without.seconds(*turn), taught.seconds(*turn)) for _ in range(arguments.turns)]
    for name, times in zip(("labels alone", "a teacher"), zip(*pairs)):
        print(f"{name:12s} {1000 * np.median(times):8.1f} ms a step")
    ratios = [slower / faster for faster, slower in pairs]
    spread = f"{min(ratios):.3f} to {max(ratios):.3f} of {len(ratios)} turns"
    print(f"ratio        median {np.median(ratios):.3f}, {spread}")
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"soft labels  {taught.prepared:.1f} s before the first step; load averages {load}")


main()
