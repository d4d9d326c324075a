"""The ``data`` section of an experiment: one dataset, or several that one network learns from."""

import os
from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from semseg.data.declarations.strict_yaml import StrictModel
from semseg.errors import ConfigError, unknown_name
from semseg.training.config.sections import Count, Positive, Share


class SourceConfig(StrictModel):
    """One of several datasets.

    Attributes:
      dataset: name of a shipped dataset, or path of its YAML file.
      train_split: name of the split to train on.
      validation_split: name of the split that is scored.
      weight: how often samples come from here, relative to the other datasets' weights; None for
        all of them takes each sample equally often.
      head: name of the logit head that learns it, and of its outputs in the frozen graph; None
        takes the dataset's name. Datasets with one head need the same classes.
    """

    dataset: str
    train_split: str = "train"
    validation_split: str = "val"
    weight: Positive | None = None
    head: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")


class DataConfig(StrictModel):
    """What is learnt from: ``dataset`` and its splits, or ``datasets``.

    Attributes:
      dataset: name of a shipped dataset, or path of its YAML file.
      train_split: name of the split to train on.
      validation_split: name of the split that chooses the best checkpoint.
      datasets: several datasets instead of one.
      heads: ``own`` gives each dataset a logit head, ``shared`` one head for all.
      class_map: class map, see ``semseg/data/class_map.py``, from the dataset's classes to those
        that are learnt, such as groups of them. With ``heads: shared`` it maps all datasets to
        one table; without it they have the first one's classes, by name.
      size: (height, width) at which the network runs; the model card's size. Crops are cut
        from images as they are: prepare a dataset whose images are larger.
      second: what the network sees beside the image: ``right`` images for a network with two
        branches, or ``disparity`` as a fourth channel.
      class_uniform: share of the crops that show a class drawn evenly from all classes.
      cache: keep the training images in memory once they were read, 4 bytes a pixel.
    """

    dataset: str | None = None
    train_split: str = "train"
    validation_split: str = "val"
    datasets: tuple[SourceConfig, ...] = ()
    heads: Literal["own", "shared"] = "own"
    class_map: str | None = None
    size: tuple[Count, Count]
    second: Literal["right", "disparity"] | None = None
    class_uniform: Share = 0.0
    cache: bool = False

    @model_validator(mode="after")
    def _one_or_several(self) -> "DataConfig":
        if (self.dataset is None) == (not self.datasets):
            raise ValueError("give either 'dataset' or 'datasets'")
        if self.dataset is not None and self.heads == "shared":
            raise ValueError("'heads: shared' is for several datasets")
        if self.datasets and self.heads == "own" and self.class_map:
            raise ValueError("'class_map' is for one dataset or for 'heads: shared'")
        if len({source.weight is None for source in self.datasets}) > 1:
            raise ValueError("give each of the datasets a weight, or none of them")
        names = [source.dataset for source in self.datasets]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"datasets named twice: {', '.join(repeated)}")
        return self

    @property
    def sources(self) -> tuple[SourceConfig, ...]:
        """The datasets, one or several."""
        if self.dataset is None:
            return self.datasets
        return (
            SourceConfig(
                dataset=self.dataset,
                train_split=self.train_split,
                validation_split=self.validation_split,
            ),
        )

    @property
    def names(self) -> list[str]:
        """Names of the datasets as ``--root NAME=DIR`` knows them."""
        return [source.dataset for source in self.sources]


def parse_roots(texts: Sequence[str], datasets: Sequence[str]) -> dict[str, str]:
    """Reads ``--root`` flags.

    Args:
      texts: ``DIR``, which is for the only dataset, or ``NAME=DIR``.
      datasets: names of the experiment's datasets.

    Returns:
      The folder of each dataset that was given one.

    Raises:
      ConfigError: a name that is not in the experiment, or no name where there are several.
    """
    roots = {}
    for text in texts:
        # Names and folders may hold '=' themselves; a folder that exists is no NAME=DIR.
        known = max((n for n in datasets if text.startswith(f"{n}=")), key=len, default="")
        name, equals, folder = (
            (known, "=", text[len(known) + 1 :]) if known else text.partition("=")
        )
        if not equals or not known and len(datasets) == 1 and os.path.isdir(text):
            if len(datasets) > 1:
                raise ConfigError(
                    f"--root {text}: several datasets need NAME=DIR each: {', '.join(datasets)}"
                )
            name, folder = datasets[0], text
        if name not in datasets:
            raise ConfigError(f"--root {text}: {unknown_name('dataset', name, datasets)}")
        roots[name] = folder
    return roots
