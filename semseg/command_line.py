"""What all command lines share: logging, sizes, and errors as one line with exit status 2."""

import argparse
import logging
import os
import sys
from typing import Any, Callable, Mapping, NoReturn, Optional, Sequence, Tuple, TypeVar

from semseg.errors import ConfigError, SemsegError

DONE = 0
"""Exit status: ran to its end and all is good."""
BAD_VERDICT = 1
"""Exit status: ran to its end, but the verdict is bad or an input was skipped."""
COULD_NOT_RUN = 2
"""Exit status: could not run; one line on stderr says why."""
INTERRUPTED = 130


def run(main: Callable[[], Optional[int]]) -> None:
    """Runs a script's ``main()`` and exits with its status.

    A ``SemsegError``, or what the operating system refuses (a missing file, a full disk),
    becomes one line on stderr and exit status 2. Bugs keep their traceback.

    Args:
      main: function without arguments that returns an exit status or None (done).
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        status = main()
    except SemsegError as error:
        status = _could_not_run(str(error))
    except BrokenPipeError:
        # The reader of our output went away (`| head`): silence the interpreter's own flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = DONE
    except OSError as error:
        if error.errno is None:
            raise
        where = "%s: " % error.filename if error.filename else ""
        status = _could_not_run(where + os.strerror(error.errno))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        status = INTERRUPTED
    sys.exit(DONE if status is None else status)


def _could_not_run(reason: str) -> int:
    sys.stderr.write("error: %s\n" % " ".join(reason.split("\n")))
    return COULD_NOT_RUN


class _Parser(argparse.ArgumentParser):
    """Answers a wrong flag with one line, as every other mistake is answered."""

    def error(self, message: str) -> NoReturn:
        sys.exit(_could_not_run("%s (%s --help lists the flags)" % (message, self.prog)))


def parser(description: str, example: str) -> argparse.ArgumentParser:
    """Returns an ``ArgumentParser`` whose ``--help`` ends with an example."""
    return _Parser(
        description=description,
        epilog="example:\n  " + example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


RecordT = TypeVar("RecordT")


def options(
    parser: argparse.ArgumentParser,
    record: Callable[..., RecordT],
    arguments: Optional[Sequence[str]] = None,
) -> RecordT:
    """Parses a command line into a typed record.

    Args:
      parser: of the flags.
      record: a NamedTuple class. A field takes the value of the flag of its name; one without
        a flag is a NamedTuple class of its own, whose fields are filled likewise.
      arguments: the command line; None takes the process's.
    """
    return _filled(record, vars(parser.parse_args(arguments)))


def _filled(record: Any, values: Mapping[str, Any]) -> Any:
    fields = record.__annotations__
    return record(
        **{
            name: values[name] if name in values else _filled(kind, values)
            for name, kind in fields.items()
        }
    )


def size(text: str) -> Tuple[int, int]:
    """Reads ``HxW``, as in ``--size 256x512``, into (height, width).

    Raises:
      argparse.ArgumentTypeError: the text is no such size (argparse prints it, exit 2).
    """
    try:
        return parse_size(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error))


def parse_size(text: object) -> Tuple[int, int]:
    """Reads ``HxW`` into (height, width) of positive integers, else raises ``ConfigError``."""
    parts = str(text).lower().split("x")
    if len(parts) == 2 and all(part.isdecimal() and int(part) > 0 for part in parts):
        return int(parts[0]), int(parts[1])
    raise ConfigError("a size is HEIGHTxWIDTH in pixels, such as 256x512; found '%s'" % text)


def positive(number: Callable[[str], float]) -> Callable[[str], float]:
    """Returns a reader of numbers above zero: ``add_argument("--rate", type=positive(float))``."""

    def read(text: str) -> float:
        try:
            value = number(text)
        except ValueError:
            value = 0
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError("expected a number above zero, found '%s'" % text)
        return value

    return read
