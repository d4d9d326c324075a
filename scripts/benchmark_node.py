#!/usr/bin/env python3
"""Measures the segmenter node on a ROS master of its own.

overhead: what the node costs beside inference. speed: labels per second and their age at 30 Hz,
beside a node that infers in the image callback; exit status 1 if a demand is missed.
"""

from semseg import command_line
from semseg.errors import SemsegError, without_workspace

OUTPUT_SETS = (("labels",), ("labels", "color", "overlay"))


def main():
    parser = command_line.parser(__doc__, "scripts/benchmark_node.py speed --seconds 60")
    parser.add_argument("what", choices=("overhead", "speed"))
    parser.add_argument("--size", type=command_line.size, default=(480, 640), help="of the images")
    parser.add_argument("--frames", type=int, default=200, help="overhead: per set of outputs")
    parser.add_argument("--rate", type=float, default=20.0, help="overhead: frames per second")
    parser.add_argument(
        "--model", default="reduced", help="speed: profile or graph of the first case"
    )
    parser.add_argument(
        "--seconds", type=command_line.positive(float), default=60.0, help="speed: per method"
    )
    parser.add_argument(
        "--camera-queue", type=int, default=10, help="speed: queue size of the camera's publisher"
    )
    args = parser.parse_args()
    try:
        import rospy

        from semseg.ros.benchmark.overhead import measure_overhead
        from semseg.ros.benchmark.private_master import private_master
        from semseg.ros.benchmark.speed import speed_table
    except ImportError as error:
        raise SemsegError(without_workspace(error))
    with private_master():
        rospy.init_node("benchmark", anonymous=True)
        if args.what == "speed":
            return speed(args, speed_table)
        return overhead(args, measure_overhead)


def overhead(args, measure_overhead):
    overheads = measure_overhead(OUTPUT_SETS, args.size, args.frames, args.rate)
    print("message in to message out without inference, %dx%d rgb8" % args.size)
    print("%-24s %8s %8s %12s" % ("outputs", "p50 ms", "p95 ms", "node CPU ms"))
    for row in overheads:
        print("%-24s %8.2f %8.2f %12.2f" % ("+".join(row.outputs), *row[1:]))


def speed(args, speed_table):
    lines, all_held = speed_table(args.model, args.seconds, args.camera_queue)
    print("\n".join(lines))
    return command_line.DONE if all_held else command_line.BAD_VERDICT


if __name__ == "__main__":
    command_line.run(main)
