"""The configuration of an experiment: one complete YAML file, typed, without inheritance."""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import AfterValidator, create_model, model_validator

from semseg.data.augmentation import AugmentationConfig
from semseg.data.strict_yaml import StrictModel, parse_yaml, read_yaml, validate
from semseg.errors import ConfigError, unknown_name
from semseg.networks import NETWORKS
from semseg.training.data_config import DataConfig
from semseg.training.fine_tuning import FineTuningConfig
from semseg.training.loss_config import LossConfig
from semseg.training.optimization_config import OptimizerConfig, ScheduleConfig, TrainingConfig
from semseg.training.sections import one_of


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
