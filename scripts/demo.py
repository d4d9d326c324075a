#!/usr/bin/env python3
"""Plays the synthetic town, whose labels are compared with the truth, and a real street."""

from pathlib import Path

from semseg import command_line
from semseg.commands.demo import run_demo, run_street
from semseg.commands.playback import table


def main() -> int:
    parser = command_line.parser(__doc__, "scripts/demo.py --output demo_output --model demo")
    parser.add_argument("--output", type=Path, default=Path("demo_output"), metavar="DIR")
    parser.add_argument("--model", default="demo", help="a profile or a frozen graph with a card")
    parser.add_argument("--street-model", default="full", metavar="MODEL",
        help="the same for the real street, which has no truth")  # fmt: skip
    parser.add_argument("--gui", choices=("true", "false"), default="false", help="open RViz too")
    args = parser.parse_args()
    gui = args.gui == "true"
    town = run_demo(args.output, args.model, gui)
    print(f"the synthetic town\n{table(town)}")
    street = run_street(args.output, args.street_model, gui)
    print(f"\na real street, which has no true labels\n{table(street)}")
    for prefix in ("", "street_"):
        pictures = (args.output / f"{prefix}{name}" for name in ("sheet.png", "overlay.mp4"))
        print("pictures: " + ", ".join(map(str, pictures)))
    good = town["passed"] and street["passed"]
    return command_line.DONE if good else command_line.BAD_VERDICT


if __name__ == "__main__":
    command_line.run(main)
