"""Turns the args.json of a PARIS-sem-seg run into an experiment file.

Options without an equal are named; exit status 1 if there are any.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from semseg import command_line
from semseg.files import write_file
from semseg.runtime.images.geometry import Size


class Options(NamedTuple):
    """What is turned into what.

    Attributes:
      args: PARIS-sem-seg's ``args.json``.
      output: experiment file to write.
      size: (height, width) of the run's images.
    """

    args: str
    output: str
    size: Size


def main() -> int:
    """Runs the command line."""
    parser = command_line.parser(
        __doc__,
        "scripts/migrate_args.py --args RUN/args.json --output config/experiments/mine.yaml",
    )
    parser.add_argument("--args", required=True, metavar="FILE", help="PARIS-sem-seg's args.json")
    parser.add_argument("--output", required=True, metavar="FILE", help="experiment file to write")
    parser.add_argument("--size", type=command_line.size, default=(256, 512), metavar="HxW",
                        help="size of the run's images (default: 256x512)")  # fmt: skip
    options = command_line.options(parser, Options)

    from semseg.training.config.migration import migrate

    output = Path(options.output)
    migration = migrate(options.args, output.stem, options.size)
    write_file(output, migration.config.to_yaml().encode())
    for line in migration.remarks:
        print(line)
    for line in migration.lost:
        sys.stderr.write(f"no equal: {line}\n")
    print(f"{output} written")
    return command_line.BAD_VERDICT if migration.lost else command_line.DONE
