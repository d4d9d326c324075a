"""Freezes the best checkpoint of a run into one file for the robot, and converts it."""

from collections.abc import Sequence
from typing import NamedTuple

from semseg import command_line
from semseg.runtime.engines.companions import FORMATS
from semseg.runtime.images.geometry import Size


class Options(NamedTuple):
    """What is frozen, and how.

    Attributes:
      workdir: run folder.
      output: frozen graph to write.
      size: (height, width) that the network's input is fixed to; None leaves it open.
      head: head behind the plain tensor names; None: the first.
      group_columns: see ``training.export.passes``.
      mirror: average an image and its mirror image.
      format: formats that are written too.
      root: folders of the run's datasets, ``[NAME=]DIR``.
      allow_drop: write a format even if it costs over one point of mean IoU.
    """

    workdir: str
    output: str
    size: Size | None
    head: str | None
    group_columns: bool
    mirror: bool
    format: Sequence[str]
    root: Sequence[str]
    allow_drop: bool


def main() -> None:
    """Runs the command line."""
    parser = command_line.parser(
        __doc__, "scripts/freeze.py --workdir runs/town --output models/town.pb --format onnx"
    )
    add = parser.add_argument
    add("--workdir", required=True, help="run folder of scripts/train.py")
    add("--output", required=True, help="frozen graph (.pb) to write")
    add("--size", type=command_line.size, metavar="HxW",
        help="fix the network's input to this size (default: open)")  # fmt: skip
    add("--head", help="head behind the plain tensor names, of a network with several "
        "(default: the first)")  # fmt: skip
    add("--group-columns", action="store_true",
        help="with --size: faster in TensorFlow 1.15 on a processor, slower elsewhere")  # fmt: skip
    add("--mirror", action="store_true",
        help="average the logits of each image and its mirror image: twice the work")  # fmt: skip
    add("--format", nargs="+", default=[], choices=[*FORMATS, "savedmodel"],
        help="also write these beside the output, and compare them")  # fmt: skip
    add("--root", action="append", default=[], metavar="[NAME=]DIR",
        help="with --format: folder of the run's dataset (of dataset NAME)")  # fmt: skip
    add("--allow-drop", action="store_true",
        help="with --format: write it even if it costs over one point of mean IoU")  # fmt: skip
    options = command_line.options(parser, Options)

    from semseg.training.export.freeze import convert_run, freeze

    card = freeze(
        options.workdir,
        options.output,
        options.size,
        options.head,
        columns=options.group_columns,
        mirror=options.mirror,
    )
    for score in card.scores:
        print(f"mean IoU {score['mean_iou']:.4f} ({score['protocol']})")
    print(f"wrote {options.output}")
    if options.format:
        reports = convert_run(
            options.workdir,
            options.output,
            options.format,
            options.root,
            allow_drop=options.allow_drop,
        )
        print("\n".join(report.text() for report in reports))
