#!/usr/bin/env python3
"""Measures what the segmenter node costs beside inference, on a ROS master of its own."""

from semseg import command_line
from semseg.ros.benchmark import measure_overhead
from semseg.ros.private_master import private_master

OUTPUT_SETS = (("labels",), ("labels", "color", "overlay"))


def main():
    parser = command_line.parser(__doc__, "scripts/benchmark_node.py --size 480x640")
    parser.add_argument("--size", type=command_line.size, default=(480, 640), help="of the images")
    parser.add_argument("--frames", type=int, default=200, help="per set of outputs")
    parser.add_argument("--rate", type=float, default=20.0, help="frames per second")
    args = parser.parse_args()
    with private_master():
        overheads = measure_overhead(OUTPUT_SETS, args.size, args.frames, args.rate)
    print("message in to message out without inference, %dx%d rgb8" % args.size)
    print("%-24s %8s %8s %12s" % ("outputs", "p50 ms", "p95 ms", "node CPU ms"))
    for overhead in overheads:
        print("%-24s %8.2f %8.2f %12.2f" % ("+".join(overhead.outputs), *overhead[1:]))


if __name__ == "__main__":
    command_line.run(main)
