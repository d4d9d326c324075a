"""Finds a dataset's declaration: a shipped one, a YAML file, a folder, or a class table's lists."""

import logging
from pathlib import Path

from semseg import resources
from semseg.data.specs import DatasetSpec, FolderSpec, TownSpec
from semseg.data.strict_yaml import read_yaml, validate
from semseg.errors import ConfigError, unknown_name

_LOG = logging.getLogger(__name__)


def load_dataset(dataset: str | Path) -> DatasetSpec:
    """Reads a dataset's declaration.

    Args:
      dataset: the name of a shipped one (``camvid``), or the path of a YAML file.

    Returns:
      The declaration.

    Raises:
      ConfigError: an unknown name, or a file that is no valid declaration.
    """
    path = Path(dataset)
    if path.suffix not in (".yaml", ".yml"):
        path = _shipped_declaration(str(dataset))
    values = read_yaml(path)
    is_town = isinstance(values, dict) and values.get("source") == "town"
    if is_town:
        return validate(TownSpec, values, path)
    spec = validate(FolderSpec, values, path)
    if spec.unverified:
        _LOG.warning(
            "the declaration of '%s' was never tried on the real files: "
            "see what scripts/check_dataset.py says first",
            spec.name,
        )
    return spec


def dataset_names() -> list[str]:
    """Returns the names of the shipped declarations."""
    folder = Path(resources.shipped_file("config", "datasets"))
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _shipped_declaration(name: str) -> Path:
    if name not in dataset_names():
        raise ConfigError(
            unknown_name("dataset", name, dataset_names()) + "; or give the path of a .yaml file"
        )
    return Path(resources.shipped_file("config", "datasets", f"{name}.yaml"))
