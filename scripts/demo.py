#!/usr/bin/env python3
"""Plays a bag of the synthetic town through the node and compares its labels with the truth."""

from pathlib import Path

from semseg import command_line
from semseg.commands.demo import run_demo
from semseg.commands.playback import table


def main() -> int:
    parser = command_line.parser(__doc__, "scripts/demo.py --output demo_output --model demo")
    parser.add_argument("--output", type=Path, default=Path("demo_output"), metavar="DIR")
    parser.add_argument("--model", default="demo", help="a profile or a frozen graph with a card")
    parser.add_argument("--gui", choices=("true", "false"), default="false", help="open RViz too")
    args = parser.parse_args()
    report = run_demo(args.output, args.model, args.gui == "true")
    print(table(report))
    print(f"pictures: {args.output / 'sheet.png'}, {args.output / 'overlay.mp4'}")
    return command_line.DONE if report["passed"] else command_line.BAD_VERDICT


if __name__ == "__main__":
    command_line.run(main)
