"""The configuration of an experiment: one complete YAML file, typed, without inheritance.

Its ``data`` section names one dataset, or several that one network learns from.
"""

import inspect
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import AfterValidator, Field, create_model, model_validator

from semseg.data.batches.augmentation import AugmentationConfig
from semseg.data.declarations.strict_yaml import StrictModel, parse_yaml, read_yaml, validate
from semseg.errors import ConfigError, unknown_name
from semseg.networks import NETWORKS
from semseg.training.config.optimization import (
    FineTuningConfig,
    LossConfig,
    OptimizerConfig,
    ScheduleConfig,
    TrainingConfig,
)
from semseg.training.config.sections import Count, Positive, Share, one_of


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
      class_map: class map, see ``semseg.data.declarations.class_map``, from the dataset's classes
        to those that are learnt, such as groups of them. With ``heads: shared`` it maps all
        datasets to one table; without it they have the first one's classes, by name.
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


def _not_negative(value: Any, *, least: int = 0) -> Any:
    """Refuses numbers below 0; those of a list, of blocks or rates, count from 1."""
    for part in value if isinstance(value, tuple) else ():
        _not_negative(part, least=1)
    if isinstance(value, int | float) and value < least:
        raise ValueError(f"expected {least} or more, found {value}")
    return value


def _network_config(name: str) -> type[StrictModel]:
    """Returns the section of one network: its function's keyword options, ``channels`` apart."""
    parameters = inspect.signature(NETWORKS[name]).parameters.values()
    options: dict[str, Any] = {
        option.name: (Annotated[option.annotation, AfterValidator(_not_negative)], option.default)
        for option in parameters
        if option.kind is option.KEYWORD_ONLY and option.name != "channels"
    }
    options["name"] = (Literal[name], ...)
    return create_model(name, __base__=StrictModel, **options)


NetworkConfig: TypeAlias = one_of(  # type: ignore[valid-type]
    "network", {name: _network_config(name) for name in NETWORKS}
)


class ExperimentConfig(StrictModel):
    """All that decides the result of a training run, apart from the data's folder."""

    name: str
    data: DataConfig
    augmentation: AugmentationConfig
    network: NetworkConfig
    fine_tuning: FineTuningConfig = FineTuningConfig()
    loss: LossConfig
    optimizer: OptimizerConfig
    schedule: ScheduleConfig
    training: TrainingConfig

    @model_validator(mode="after")
    def _fit_teacher(self) -> "ExperimentConfig":
        if self.data.unlabelled and self.loss.teacher is None:
            raise ValueError("data.unlabelled needs loss.teacher, which says what its images show")
        if self.data.unlabelled and self.data.second is not None:
            raise ValueError("data.unlabelled has no second images: leave data.second out")
        if self.loss.teacher is not None and self.data.second == "right":
            raise ValueError("loss.teacher cannot label a pair of images: leave data.second out")
        if not self.data.unlabelled and all(s.train_split is None for s in self.data.sources):
            raise ValueError("data: give a train_split or 'unlabelled' to learn from")
        if self.training.overfit and any(s.train_split is None for s in self.data.sources):
            raise ValueError("training.overfit learns labels: give each dataset a train_split")
        return self

    def to_yaml(self) -> str:
        """Returns the configuration as YAML, defaults written out."""
        return yaml.safe_dump(self.model_dump(mode="json", by_alias=True), sort_keys=False)


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> ExperimentConfig:
    """Reads an experiment.

    Args:
      path: YAML file.
      overrides: ``section.key=value`` texts that replace what the file says; values are YAML. An
        entry of a list is named by its number: ``data.datasets.0.weight=2``.

    Returns:
      The checked configuration.

    Raises:
      ConfigError: the file cannot be read, or a key is unknown or has the wrong type; names
        the file, the key, what was found and what was expected.
    """
    values = read_yaml(path)
    for override in overrides:
        _override(values, override)
    source = f"{path} with --set {' '.join(overrides)}" if overrides else path
    return validate(ExperimentConfig, values, source)


def _override(values: Any, override: str) -> None:
    keys, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"--set takes section.key=value, found '{override}'")
    *sections, key = keys.strip().split(".")
    for section in sections:
        values = _section(values, section, override)
    value = parse_yaml(text, f"--set {override}")
    if isinstance(values, list):
        _section(values, key, override)  # There has to be such an entry.
        values[int(key)] = value
    else:
        values[key] = value


def _section(values: Any, name: str, override: str) -> Any:
    """Returns a part of the configuration: of a mapping by name, of a list by number."""
    if isinstance(values, list):
        numbered = {str(number): value for number, value in enumerate(values)}
        if name not in numbered:
            raise ConfigError(f"--set {override}: {unknown_name('number', name, numbered)}")
        return numbered[name]
    if not isinstance(values, dict) or not isinstance(values.get(name), dict | list):
        known = values if isinstance(values, dict) else ()
        raise ConfigError(f"--set {override}: {unknown_name('section', name, known)}")
    return values[name]
