#!/usr/bin/env python3
"""Compares frozen graphs and engines: speed, load time, memory, agreement of labels."""

import json
import os

from semseg import command_line
from semseg.runtime import benchmark


def main():
    parser = command_line.parser(
        __doc__, "scripts/benchmark.py --model models/a.pb --model models/b.pb --size 256x512"
    )
    parser.add_argument("--model", action="append", required=True, help="frozen graph; repeatable")
    parser.add_argument("--size", type=command_line.size, default=(256, 512), metavar="HxW")
    parser.add_argument("--engine", nargs="+", help="engines (default: all that are installed)")
    parser.add_argument("--precision", default="auto", help="float32, bfloat16, ...")
    parser.add_argument("--threads", type=int, help="threads of each engine (default: its own)")
    parser.add_argument("--turns", type=int, default=50, help="timed inferences of each")
    parser.add_argument("--report", help="also write the table as JSON to this file")
    arguments = parser.parse_args()
    contest = benchmark.Contest(
        arguments.size, arguments.precision, arguments.threads, arguments.turns
    )
    engines = arguments.engine or benchmark.installed_engines()
    rows, failures = benchmark.benchmark(arguments.model, engines, contest)
    print_table(rows, failures, contest)
    if arguments.report:
        record = {"device": benchmark.device(), "contest": contest._asdict()}
        record["rows"] = [dict(row._asdict(), fps=row.fps) for row in rows]
        with open(arguments.report + ".part", "w") as file:
            json.dump(record, file, indent=2)
        os.replace(arguments.report + ".part", arguments.report)
    return command_line.BAD_VERDICT if failures else command_line.DONE


def print_table(rows, failures, contest):
    print("%(processor)s, %(cores)d cores, Python %(python)s, load %(load).1f" % benchmark.device())
    print("%dx%d, batch 1, threads: %s" % (contest.size + (contest.threads or "engine's own",)))
    titles = ("model", "engine", "precision", "load s", "median", "p95 ms", "fps", "MiB", "equal")
    print("%-28s %-18s %-9s %7s %7s %7s %7s %6s %7s" % titles)
    for row in rows:
        print(
            "%-28s %-18s %-9s %7.2f %7.1f %7.1f %7.1f %6.0f %6.2f%%"
            % (
                (os.path.basename(row.model),)
                + row[1:6]
                + (row.fps, row.peak_mib, 100 * row.agreement)
            )
        )
    for failure in failures:
        print("failed: " + failure)


if __name__ == "__main__":
    command_line.run(main)
