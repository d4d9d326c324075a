"""Compares frozen graphs and engines: speed, load time, memory, agreement of labels."""

import itertools
from typing import List, NamedTuple, Optional, Tuple

from semseg import command_line
from semseg.profiles import model_path
from semseg.runtime import benchmark


class Options(NamedTuple):
    """What is compared, and how.

    Attributes:
      model: profiles or graphs.
      foreign: graphs of other programs, each with its input and its outputs.
      size: (height, width) of the inputs.
      engine: ``ENGINE[:PRECISION][@PYTHON]``; None: all that are installed.
      threads: of each engine; None: its own.
      turns: timed inferences of each.
      images: glob of images to label; None: a made one.
      report: JSON file to write.
    """

    model: List[str]
    foreign: List[List[str]]
    size: List[Tuple[int, int]]
    engine: Optional[List[str]]
    threads: Optional[int]
    turns: int
    images: Optional[str]
    report: Optional[str]


def main() -> int:
    """Runs the command line."""
    parser = command_line.parser(
        __doc__,
        "scripts/benchmark.py --model models/a.pb --model models/b.pb --size 256x512 "
        "--engine openvino openvino:bfloat16 tensorflow@.venv-robot/bin/python",
    )
    parser.add_argument("--model", action="append", default=[], help="profile or graph; repeatable")
    parser.add_argument(
        "--foreign",
        action="append",
        default=[],
        nargs="+",
        metavar=("FILE INPUT", "OUTPUT"),
        help="graph of another program, its input tensor (uint8 or float32 0..255 RGB) and its "
        "outputs, the first of which gives labels or scores; repeatable",
    )
    parser.add_argument(
        "--size", type=command_line.size, nargs="+", default=[(256, 512)], metavar="HxW"
    )
    parser.add_argument(
        "--engine",
        nargs="+",
        metavar="ENGINE[:PRECISION][@PYTHON]",
        help="default: all that are installed, at float32, in this Python",
    )
    parser.add_argument("--threads", type=int, help="threads of each engine (default: its own)")
    parser.add_argument("--turns", type=int, default=50, help="timed inferences of each")
    parser.add_argument("--images", help="images to label, 'GLOB' (default: a made one)")
    parser.add_argument("--report", help="also write the table as JSON to this file")
    options = command_line.options(parser, Options)
    if not options.model and not options.foreign or any(len(f) < 3 for f in options.foreign):
        parser.error("expected --model FILE or --foreign FILE INPUT OUTPUT")
    engines = options.engine or benchmark.installed_engines()
    graphs: List[Tuple[str, Tuple[str, ...]]] = [(model_path(model), ()) for model in options.model]
    graphs += [(path, tuple(tensors)) for path, *tensors in options.foreign]
    entrants = [
        benchmark.Entrant.parse(path, engine, size)._replace(tensors=tensors)
        for size, (path, tensors), engine in itertools.product(options.size, graphs, engines)
    ]
    images = benchmark.read_images(options.images)
    rows, failures = benchmark.benchmark(entrants, options.turns, options.threads, images)
    print("\n".join(benchmark.table(rows, options.threads)))
    print("".join("failed: %s: %s\n" % failure for failure in failures.items()), end="")
    if options.report:
        benchmark.write_report(options.report, rows, failures, threads=options.threads)
    return command_line.BAD_VERDICT if failures else command_line.DONE
