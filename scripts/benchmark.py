#!/usr/bin/env python3
"""Compares frozen graphs and engines: speed, load time, memory, agreement of labels."""

import itertools

from semseg import command_line
from semseg.profiles import model_path
from semseg.runtime import benchmark


def main():
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
    arguments = parser.parse_args()
    if not arguments.model and not arguments.foreign or any(len(f) < 3 for f in arguments.foreign):
        parser.error("expected --model FILE or --foreign FILE INPUT OUTPUT")
    engines = arguments.engine or benchmark.installed_engines()
    graphs = [(model_path(model), ()) for model in arguments.model]
    graphs += [(path, tuple(tensors)) for path, *tensors in arguments.foreign]
    entrants = [
        benchmark.Entrant.parse(path, engine, size)._replace(tensors=tensors)
        for size, (path, tensors), engine in itertools.product(arguments.size, graphs, engines)
    ]
    images = benchmark.read_images(arguments.images)
    rows, failures = benchmark.benchmark(entrants, arguments.turns, arguments.threads, images)
    print("\n".join(benchmark.table(rows, arguments.threads)))
    print("".join("failed: %s: %s\n" % failure for failure in failures.items()), end="")
    if arguments.report:
        benchmark.write_report(arguments.report, rows, failures, threads=arguments.threads)
    return command_line.BAD_VERDICT if failures else command_line.DONE


if __name__ == "__main__":
    command_line.run(main)
