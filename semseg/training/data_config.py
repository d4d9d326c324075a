"""The ``data`` section of an experiment: one dataset, or several that one network learns from."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from semseg.data.strict_yaml import StrictModel
from semseg.errors import ConfigError, unknown_name
from semseg.training.sections import Count, Positive, Share


class SourceConfig(StrictModel):
    """One of several datasets.

    Attributes:
      dataset: name of a shipped dataset, or path of its YAML file.
      train_split: name of the split to train on; None scores it only.
      validation_split: name of the split that is scored.
      weight: how often samples come from here, relative to the other datasets' weights; None for
        all of them takes each sample equally often.
      head: name of the logit head that learns it, and of its outputs in the frozen graph; None
        takes the dataset's name. Datasets with one head need the same classes.
    """

    dataset: str
    train_split: str | None = "train"
    validation_split: str = "val"
    weight: Positive | None = None
    head: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")


class UnlabelledConfig(StrictModel):
    """Images without labels, which ``loss.teacher`` labels.

    Attributes:
      path: a folder, a glob in quotes, a video, or a bag.
      topic: the image topic, of a bag.
      every: takes each n-th frame; those of a video are nearly the same.
      weight: how often images come from here, relative to the datasets' weights; that of a single
        ``dataset`` is 1. None for all takes each image equally often.
      terms: licence or terms of use, for the model card.
    """

    path: str
    topic: str | None = None
    every: Count = 1
    weight: Positive | None = None
    terms: str = ""


class DataConfig(StrictModel):
    """What is learnt from: ``dataset`` and its splits, or ``datasets``.

    Attributes:
      dataset: name of a shipped dataset, or path of its YAML file.
      train_split: name of the split to train on; None learns from ``unlabelled`` alone.
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
      unlabelled: images that ``loss.teacher`` alone says something of.
    """

    dataset: str | None = None
    train_split: str | None = "train"
    validation_split: str = "val"
    datasets: tuple[SourceConfig, ...] = ()
    heads: Literal["own", "shared"] = "own"
    class_map: str | None = None
    size: tuple[Count, Count]
    second: Literal["right", "disparity"] | None = None
    class_uniform: Share = 0.0
    cache: bool = False
    unlabelled: tuple[UnlabelledConfig, ...] = ()

    @model_validator(mode="after")
    def _one_or_several(self) -> "DataConfig":
        if (self.dataset is None) == (not self.datasets):
            raise ValueError("give either 'dataset' or 'datasets'")
        if self.dataset is not None and self.heads == "shared":
            raise ValueError("'heads: shared' is for several datasets")
        if self.datasets and self.heads == "own" and self.class_map:
            raise ValueError("'class_map' is for one dataset or for 'heads: shared'")
        weights = [source.weight for source in self.datasets]
        weights += [source.weight for source in self.unlabelled]
        if len({weight is None for weight in weights}) > 1:
            raise ValueError(
                "give each of the datasets a weight, or none of them; likewise 'unlabelled'"
            )
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
    def weights(self) -> list[float] | None:
        """How often each dataset that is trained on, then each unlabelled source, is drawn from.

        None goes by size.
        """
        sources = [source for source in self.sources if source.train_split is not None]
        found = [source.weight for source in sources]
        found += [source.weight for source in self.unlabelled]
        if all(weight is None for weight in found):
            return None
        return [1.0 if weight is None else weight for weight in found]

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
        name, equals, folder = text.partition("=")
        if not equals:
            if len(datasets) > 1:
                raise ConfigError(
                    f"--root {text}: several datasets need NAME=DIR each: {', '.join(datasets)}"
                )
            name, folder = datasets[0], text
        if name not in datasets:
            raise ConfigError(f"--root {text}: {unknown_name('dataset', name, datasets)}")
        roots[name] = folder
    return roots
