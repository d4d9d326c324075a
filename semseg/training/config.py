"""The configuration of an experiment: one complete YAML file, typed, without inheritance."""

import inspect
from collections.abc import Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import BeforeValidator, Field, create_model, model_validator

from semseg.data.augmentation import AugmentationConfig
from semseg.data.strict_yaml import StrictModel, parse_yaml, read_yaml, validate
from semseg.errors import ConfigError, unknown_name
from semseg.networks import NETWORKS

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class DataConfig(StrictModel):
    """What is learnt from.

    Attributes:
      dataset: name of a shipped dataset, or path of its YAML file.
      train_split: name of the split to train on.
      validation_split: name of the split that chooses the best checkpoint.
      size: (height, width) at which the network runs; the model card's size. Crops are cut
        from images as they are: prepare a dataset whose images are larger.
      cache: keep the training images in memory once they were read, 4 bytes a pixel.
    """

    dataset: str
    train_split: str = "train"
    validation_split: str = "val"
    size: tuple[Count, Count]
    cache: bool = False


class WeightedLossConfig(StrictModel):
    """What all losses have.

    Attributes:
      name: which loss.
      class_weights: one weight per class, or the rule that computes them from the training
        labels: ``enet`` or ``median_frequency``; None weighs all classes alike.
    """

    name: str
    class_weights: tuple[Positive, ...] | Literal["enet", "median_frequency"] | None = None


class CrossEntropyConfig(WeightedLossConfig):
    """Mean cross-entropy over the pixels that have a class."""

    name: Literal["cross_entropy"]


class BootstrappedConfig(WeightedLossConfig):
    """Cross-entropy of the worst pixels of each image alone.

    Attributes:
      fraction: share of an image's pixels that count, above 0 to 1.
    """

    name: Literal["bootstrapped_cross_entropy"]
    fraction: Annotated[float, Field(gt=0, le=1)] = 0.25


class OptimizerConfig(StrictModel):
    """How gradients become steps.

    Attributes:
      name: ``adam``, ``adamw`` or ``sgd`` (Nesterov momentum).
      learning_rate: rate before the schedule's factor.
      momentum: of ``sgd``; None takes 0.9.
      weight_decay: decoupled weight decay per step and rate, for ``adamw`` and ``sgd``.
      clip_norm: largest norm of the whole gradient; None does not clip.
      average: momentum of the exponential moving average of the weights that is validated,
        kept as best and frozen, such as 0.999; None takes the weights themselves.
    """

    name: Literal["adam", "adamw", "sgd"]
    learning_rate: Positive
    momentum: Share | None = None
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip_norm: Positive | None = None
    average: Annotated[float, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _use_every_option(self) -> "OptimizerConfig":
        if self.momentum is not None and self.name != "sgd":
            raise ValueError(f"momentum belongs to sgd, not to {self.name}")
        if self.weight_decay and self.name == "adam":
            raise ValueError("adam has no weight_decay; adamw and sgd have")
        return self


class WarmedScheduleConfig(StrictModel):
    """What all schedules have.

    Attributes:
      name: which schedule.
      warmup_steps: steps over which the rate rises linearly to the schedule's.
    """

    name: str
    warmup_steps: Annotated[int, Field(ge=0)] = 0


class ConstantConfig(WarmedScheduleConfig):
    """A rate that stays."""

    name: Literal["constant"]


class ExponentialConfig(WarmedScheduleConfig):
    """PARIS-sem-seg's schedule: constant until ``decay_start``, then exponential decay.

    Attributes:
      decay_start: step at which the decay begins.
      final_fraction: share of the rate that is left at the last step.
    """

    name: Literal["exponential"]
    decay_start: Annotated[int, Field(ge=0)]
    final_fraction: Annotated[float, Field(gt=0, le=1)]


class PolyConfig(WarmedScheduleConfig):
    """``(1 - step / steps) ** power``."""

    name: Literal["poly"]
    power: Positive = 0.9


class CosineConfig(WarmedScheduleConfig):
    """Half a cosine wave, from 1 to ``final_fraction``."""

    name: Literal["cosine"]
    final_fraction: Share = 0.0


class TrainingConfig(StrictModel):
    """How long, how much at once, and what is repeatable.

    Attributes:
      steps: optimizer steps of the whole run.
      epoch_steps: steps from one validation and checkpoint to the next.
      batch_size: crops per step.
      seed: of weights, order, augmentation and dropout.
      deterministic: equal runs give equal weights bit for bit; costs some speed.
      threads: threads that read and augment.
    """

    steps: Count
    epoch_steps: Count
    batch_size: Count
    seed: int = 0
    deterministic: bool = False
    threads: Count = 2


def _network_config(name: str) -> type[StrictModel]:
    """Returns the section of one network: its function's keyword options, ``channels`` apart."""
    parameters = inspect.signature(NETWORKS[name]).parameters.values()
    options: dict[str, Any] = {
        option.name: (option.annotation, option.default)
        for option in parameters
        if option.kind is option.KEYWORD_ONLY and option.name != "channels"
    }
    options["name"] = (Literal[name], ...)
    return create_model(name, __base__=StrictModel, **options)


def _one_of(kind: str, models: dict[str, type[StrictModel]]) -> Any:
    """Returns the type of a section whose ``name`` says which options it has."""

    def known(value: Any) -> Any:
        name = value.get("name") if isinstance(value, dict) else None
        if not isinstance(name, str) or name not in models:
            raise ValueError(unknown_name(kind, name, models))
        return value

    union = reduce(or_, models.values())
    section = Annotated[union, Field(discriminator="name")] if len(models) > 1 else union
    return Annotated[section, BeforeValidator(known)]


LossConfig: TypeAlias = _one_of(  # type: ignore[valid-type]
    "loss",
    {"cross_entropy": CrossEntropyConfig, "bootstrapped_cross_entropy": BootstrappedConfig},
)
ScheduleConfig: TypeAlias = _one_of(  # type: ignore[valid-type]
    "schedule",
    {
        "constant": ConstantConfig,
        "cosine": CosineConfig,
        "exponential": ExponentialConfig,
        "poly": PolyConfig,
    },
)
NetworkConfig: TypeAlias = _one_of(  # type: ignore[valid-type]
    "network", {name: _network_config(name) for name in NETWORKS}
)


class ExperimentConfig(StrictModel):
    """All that decides the result of a training run, apart from the data's folder."""

    name: str
    data: DataConfig
    augmentation: AugmentationConfig
    network: NetworkConfig
    loss: LossConfig
    optimizer: OptimizerConfig
    schedule: ScheduleConfig
    training: TrainingConfig

    def to_yaml(self) -> str:
        """Returns the configuration as YAML, defaults written out."""
        return yaml.safe_dump(self.model_dump(mode="json", by_alias=True), sort_keys=False)


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> ExperimentConfig:
    """Reads an experiment.

    Args:
      path: YAML file.
      overrides: ``section.key=value`` texts that replace what the file says; values are YAML.

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
        if not isinstance(values, dict) or not isinstance(values.get(section), dict):
            known = values if isinstance(values, dict) else ()
            raise ConfigError(f"--set {override}: {unknown_name('section', section, known)}")
        values = values[section]
    values[key] = parse_yaml(text, f"--set {override}")


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
