"""The configuration of an experiment: one complete YAML file, typed, without inheritance."""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import Field, create_model

from semseg.data.augmentation import AugmentationConfig
from semseg.data.strict_yaml import StrictModel, parse_yaml, read_yaml, validate
from semseg.errors import ConfigError, unknown_name
from semseg.networks import NETWORKS
from semseg.training.data_config import DataConfig
from semseg.training.optimization_config import OptimizerConfig, ScheduleConfig, TrainingConfig
from semseg.training.sections import Positive, one_of


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


LossConfig: TypeAlias = one_of(  # type: ignore[valid-type]
    "loss",
    {"cross_entropy": CrossEntropyConfig, "bootstrapped_cross_entropy": BootstrappedConfig},
)
NetworkConfig: TypeAlias = one_of(  # type: ignore[valid-type]
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
