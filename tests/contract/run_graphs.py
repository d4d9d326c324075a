"""Labels an image with each graph whose path it reads, in TensorFlow: the child of a test.

Answers ``ready``, then a line ``VERDICT SECONDS MIB MESSAGE`` for each. Python 3.6.
"""

import sys
import time

import numpy as np
import tensorflow

from semseg.errors import GraphError
from semseg.runtime import Segmenter

SIZE = (24, 48)


def peak_mib():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # Starts VmHWM anew, see proc(5).


def verdict(path, image):
    try:
        with Segmenter.load(path, engine="tensorflow", input_size=SIZE, threads=1) as segmenter:
            labels = segmenter.segment(image).labels
    except GraphError as error:
        return "graph_error", str(error)
    except Exception as error:
        return type(error).__name__, str(error).replace("\n", " ")
    return ("works" if labels.shape == image.shape[:2] else "misshapen"), ""


def main():
    image = np.random.RandomState(0).randint(0, 256, SIZE + (3,)).astype(np.uint8)
    print("ready", tensorflow.__version__, flush=True)
    for line in sys.stdin:
        forget_peak()
        start = time.time()
        found, message = verdict(line.rstrip("\n"), image)
        print("%s %.2f %d %s" % (found, time.time() - start, peak_mib(), message), flush=True)


if __name__ == "__main__":
    main()
