"""Finds a dataset's declaration: a shipped one, a YAML file, a folder, or a class table's lists."""

import logging
from pathlib import Path

from semseg import resources
from semseg.data.declarations.csv_lists import lists_beside, read_class_table
from semseg.data.declarations.own_folder import describe_folder
from semseg.data.declarations.specs import DatasetSpec, FolderSpec, ShardSpec, TownSpec
from semseg.data.declarations.strict_yaml import read_yaml, validate
from semseg.errors import ConfigError, unknown_name

_LOG = logging.getLogger(__name__)


def load_dataset(dataset: str | Path) -> DatasetSpec:
    """Reads a dataset's declaration, or finds out what one would say.

    Args:
      dataset: the name of a shipped one (``camvid``); the path of a YAML file; a folder with
        ``dataset.yaml``, or with ``images/``, ``labels/`` and ``classes.txt`` (see
        ``own_folder``); or a JSON class table with its lists (see ``csv_lists``).

    Returns:
      The declaration. That of a folder knows its ``root``.

    Raises:
      ConfigError: an unknown name, or something that is no valid declaration.
      DatasetError: a folder without an image or a label file.
    """
    path = Path(dataset)
    if str(dataset) in dataset_names():
        path = Path(resources.shipped_file("config", "datasets", f"{dataset}.yaml"))
    elif path.is_dir():
        return _declared_folder(path)
    elif path.suffix == ".json":
        values = {**read_class_table(path), "splits": lists_beside(path)}
        return validate(FolderSpec, values, path)
    elif path.suffix not in (".yaml", ".yml"):
        raise ConfigError(
            unknown_name("dataset", dataset, dataset_names())
            + "; or give the path of a .yaml file, a folder or a .json class table"
        )
    return _declared_file(path)


def _declared_file(path: Path) -> DatasetSpec:
    values = read_yaml(path)
    if isinstance(values, dict) and values.get("source") == "town":
        return validate(TownSpec, values, path)
    if isinstance(values, dict) and values.get("source") == "shards":
        return validate(ShardSpec, values, path)
    if isinstance(values, dict) and "class_table" in values:
        table = read_class_table(path.parent / str(values["class_table"]))
        values = {**table, **{key: values[key] for key in values if key != "class_table"}}
    spec = validate(FolderSpec, values, path)
    if spec.unverified:
        _LOG.warning(
            "the declaration of '%s' was never tried on the real files: "
            "see what scripts/check_dataset.py says first",
            spec.name,
        )
    return spec


def _declared_folder(folder: Path) -> DatasetSpec:
    declaration = folder / "dataset.yaml"
    if declaration.is_file():
        spec = _declared_file(declaration)
    else:
        spec = validate(FolderSpec, describe_folder(folder), folder)
    return spec.model_copy(update={"root": str(folder)})


def dataset_names() -> list[str]:
    """Returns the names of the shipped declarations."""
    folder = Path(resources.shipped_file("config", "datasets"))
    return sorted(path.stem for path in folder.glob("*.yaml"))
