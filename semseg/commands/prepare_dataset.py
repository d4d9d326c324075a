"""Writes a dataset downscaled, or frames of the town, as a folder with its own declaration.

Labels are downscaled by vote: a pixel is void unless one class has 75 % of its block.
Run it again after an interruption: what is written already is kept.
"""

import sys
from typing import NamedTuple

from semseg import command_line
from semseg.data import load_dataset, samples
from semseg.data.declarations.specs import SecondKind
from semseg.data.declarations.strict_yaml import validate
from semseg.data.prepare import Settings, prepare
from semseg.data.samples.pairing import present_splits
from semseg.data.samples.samples import spread

EXAMPLE = """scripts/prepare_dataset.py --dataset cityscapes --root RAW --output SMALL --downscale 4
  scripts/prepare_dataset.py --dataset town --output TOWN --frames 500"""
SETTINGS = {
    "downscale": "divides height and width, 1..16",
    "labels": "how labels are downscaled: vote or nearest",
    "void_threshold": "a vote that is won by less is void",
    "image_format": "png or jpg",
    "layout": "tree of files, or TFRecord shards",
    "shard_size": "samples in a shard",
    "second": "second input that is written, too: right or disparity",
}


class Options(NamedTuple):
    """What is written where; the last seven are ``Settings``."""

    dataset: str
    root: str | None
    label_root: str | None
    output: str
    frames: int | None
    workers: int | None
    downscale: int
    labels: str
    void_threshold: float
    image_format: str
    layout: str
    shard_size: int
    second: SecondKind | None


def main() -> int:
    """Runs the command line."""
    parser = command_line.parser(__doc__, EXAMPLE)
    parser.add_argument("--dataset", required=True, help="name, folder or YAML file of a dataset")
    parser.add_argument("--root", metavar="DIR", help="the dataset's folder")
    parser.add_argument("--label-root", metavar="DIR", help="folder of the labels, if another")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write")
    count = command_line.positive(int)
    parser.add_argument("--frames", type=count, metavar="N", help="at most N samples of each split")
    parser.add_argument("--workers", type=count, help="threads (default: one per processor)")
    for name, text in SETTINGS.items():
        default = Settings.model_fields[name].default
        flag, kind = f"--{name.replace('_', '-')}", type(default or "")
        parser.add_argument(flag, type=kind, default=default, help=f"{text} (default: {default})")
    options = command_line.options(parser, Options)
    values = {name: value for name, value in options._asdict().items() if name in SETTINGS}
    settings = validate(Settings, values, "prepare_dataset.py")
    spec = load_dataset(options.dataset)
    present, problems = present_splits(spec, options.root, options.label_root)
    splits = {}
    for name in present:
        found = samples(spec, options.root, name, options.label_root, options.second)
        splits[name] = spread(found, options.frames)
    outcome = prepare(spec, splits, options.output, settings, options.workers)
    for line in [*map(str, problems), *outcome.failed]:
        sys.stderr.write(f"left out: {line}\n")
    print(f"{outcome.written} samples written, {outcome.reused} kept, {len(outcome.failed)} failed")
    return command_line.BAD_VERDICT if outcome.failed else command_line.DONE
