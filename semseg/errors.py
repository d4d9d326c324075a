"""The errors that a user can act on.

Each message is one line and says what was found, where, what was expected and, where there
is a choice, the choices. The command lines print it and exit with status 2.
"""

import difflib
from typing import Iterable


class SemsegError(Exception):
    """Base of all errors that are the input's fault, not the program's."""


class ConfigError(SemsegError):
    """A configuration file, parameter or flag that cannot be used."""


class DatasetError(SemsegError):
    """A dataset whose files do not fit its declaration."""


class ImageError(SemsegError):
    """An image file or message whose pixels cannot be read."""


class GraphError(SemsegError):
    """A frozen graph that cannot be used."""


class EngineError(SemsegError):
    """An inference engine that is missing or cannot run the graph as asked."""


class BagError(SemsegError):
    """A bag that cannot be read, or that lacks what was asked of it."""


class CheckpointError(SemsegError):
    """A run folder whose checkpoint is missing, damaged or of another network."""


class OutputError(SemsegError):
    """A file that cannot be written: no permission, a full disk."""


def unknown_name(kind: str, name: object, choices: Iterable[object]) -> str:
    """Says that a name is unknown, lists the known ones and suggests the nearest.

    Args:
      kind: what the name stands for, such as ``'network'``.
      name: the name that was found.
      choices: iterable of the names that would have been right.

    Returns:
      ``"unknown network 'unnet'; available: resnet_baseline, unet (did you mean 'unet'?)"``
    """
    names = sorted(str(choice) for choice in choices)
    text = "unknown %s '%s'; available: %s" % (kind, name, ", ".join(names) or "none")
    near = difflib.get_close_matches(str(name), names, n=1)
    return text + (" (did you mean '%s'?)" % near[0] if near else "")


def without_workspace(found: object) -> str:
    """Says that a command needs ROS and the workspace, and the commands that give it both.

    Args:
      found: what is missing, or the error that it made.
    """
    return (
        "%s: this needs ROS and a catkin workspace that is built and sourced; `make setup` builds"
        " one, `tools/with_ros COMMAND` runs a command in it" % found
    )
