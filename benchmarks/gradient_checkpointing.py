"""Memory and time of a training step with and without gradient checkpointing.

    .venv/bin/python benchmarks/gradient_checkpointing.py --base-width 8 --batch 1

The default size is half of that of Cityscapes. Each case runs in a process of its own, whose peak
of resident memory is printed less that after the network was built.
"""

import argparse
import os
import resource
import subprocess
import sys
import time

NUM_CLASSES = 19


def resident_mib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(arguments):
    """Prints MiB that training adds, and seconds of the fastest step."""
    import keras
    import numpy as np

    from semseg.networks import NETWORKS

    model = NETWORKS["resnet_baseline"](
        NUM_CLASSES,
        base_width=arguments.base_width,
        gradient_checkpointing=arguments.case == "with",
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, jit_compile=False)
    rng = np.random.default_rng(0)
    shape = (arguments.batch, arguments.height, arguments.width)
    images = rng.uniform(0, 255, (*shape, 3)).astype(np.float32)
    labels = rng.integers(0, NUM_CLASSES, shape)
    before, seconds = resident_mib(), []
    for _ in range(arguments.steps):
        start = time.perf_counter()
        model.train_on_batch(images, labels)
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"{peak - before:.0f} {min(seconds):.2f}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--base-width", type=int, default=8)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--case", choices=["with", "without"], help="measure one in this process")
    arguments = parser.parse_args()
    if arguments.case:
        measure(arguments)
        return
    for case in ("without", "with"):
        command = [sys.executable, *sys.argv, "--case", case]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        mebibytes, seconds = done.stdout.split()
        print(f"{case:8s} {int(mebibytes):6d} MiB {float(seconds):7.2f} s a step")


main()
