"""The check of the data before a training."""

import logging
from collections.abc import Mapping

from semseg.data import load_dataset
from semseg.data.check import check
from semseg.data.file_cache import default_folder
from semseg.data.specs import TownSpec
from semseg.errors import DatasetError
from semseg.training.data_config import DataConfig

logger = logging.getLogger(__name__)


def check_data(config: DataConfig, roots: Mapping[str, str]) -> None:
    """Reads all files that a training needs; those that passed before are not read again.

    Args:
      config: the section of the configuration.
      roots: folder of each dataset by its name in the configuration.

    Raises:
      SemsegError: a dataset cannot be found, or its files are not what its declaration says.
    """
    for source in config.sources:
        spec = load_dataset(source.dataset)
        if isinstance(spec, TownSpec):
            continue
        splits = [*filter(None, (source.train_split, source.validation_split))]
        report = check(
            spec,
            roots.get(source.dataset),
            splits=splits,
            second=config.second,
            cache=default_folder(),
        )
        for warning in report.warnings:
            logger.warning("%s: %s", report.name, warning)
        if not report.passed:
            raise DatasetError(
                f"{report.summary()}: {report.errors[0]} (scripts/check_dataset.py lists all; "
                "--no-check trains nevertheless)"
            )
