"""Measures the segmenter node on a ROS master of its own.

overhead: what the node costs beside inference. speed: labels per second and their age at 30 Hz,
beside a node that infers in the image callback; exit status 1 if a demand is missed.
"""

from typing import NamedTuple

from semseg import command_line
from semseg.errors import SemsegError, without_workspace
from semseg.runtime.images.geometry import Size

OUTPUT_SETS = (("labels",), ("labels", "color", "overlay"))


class Options(NamedTuple):
    """What is measured, and how long.

    Attributes:
      what: ``overhead`` or ``speed``.
      size: (height, width) of the images.
      frames: of the overhead: per set of outputs.
      rate: of the overhead: frames per second.
      model: of the speed: profile or graph of the first case.
      seconds: of the speed: per method.
      camera_queue: of the speed: queue size of the camera's publisher.
    """

    what: str
    size: Size
    frames: int
    rate: float
    model: str
    seconds: float
    camera_queue: int


def main() -> int:
    """Runs the command line."""
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
    options = command_line.options(parser, Options)
    try:
        import rospy

        from semseg.ros.benchmark.overhead import measure_overhead
        from semseg.ros.benchmark.private_master import private_master
        from semseg.ros.benchmark.speed import speed_table
    except ImportError as error:
        raise SemsegError(without_workspace(error))
    with private_master():
        rospy.init_node("benchmark", anonymous=True)
        if options.what == "speed":
            table = speed_table(options.model, options.seconds, options.camera_queue)
            print("\n".join(table[0]))
            return command_line.DONE if table[1] else command_line.BAD_VERDICT
        rows = measure_overhead(OUTPUT_SETS, options.size, options.frames, options.rate)
        print("message in to message out without inference, %dx%d rgb8" % options.size)
        print("%-24s %8s %8s %12s" % ("outputs", "p50 ms", "p95 ms", "node CPU ms"))
        for row in rows:
            print("%-24s %8.2f %8.2f %12.2f" % ("+".join(row.outputs), *row[1:]))
        return command_line.DONE
