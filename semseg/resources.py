"""Finds the files that the package ships: configurations and models."""

import os

from semseg.errors import ConfigError

_MODULE_FOLDER = os.path.dirname(os.path.abspath(__file__))


def package_folder() -> str:
    """Returns the folder that holds ``config/`` and ``models/``.

    That is the repository root (a checkout, ``pip install -e``, a devel space), or
    ``<prefix>/share/semseg`` beside an installed catkin package.

    Raises:
      ConfigError: neither holds a ``config`` folder.
    """
    folder = os.path.dirname(_MODULE_FOLDER)
    candidates = [folder]
    while os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        candidates.append(os.path.join(folder, "share", "semseg"))
    for candidate in candidates:
        if os.path.isdir(os.path.join(candidate, "config", "datasets")):
            return candidate
    raise ConfigError(
        "no config/datasets folder found above %s; is the package installed whole?" % _MODULE_FOLDER
    )


def shipped_file(*parts: str) -> str:
    """Returns the path of a shipped file, such as ``shipped_file("config", "segmenter.yaml")``."""
    return os.path.join(package_folder(), *parts)
