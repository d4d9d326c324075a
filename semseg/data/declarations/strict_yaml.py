"""YAML files that are read strictly: an unknown key or a wrong type is an error that says where."""

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from semseg.errors import ConfigError, unknown_name

ModelT = TypeVar("ModelT", bound=BaseModel)


class StrictModel(BaseModel):
    """Base of all configuration sections: frozen, typed, and closed to unknown keys.

    Sequences are tuples.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, values: Any) -> Any:
        known = {field.alias or name for name, field in cls.model_fields.items()}
        for key in values if isinstance(values, dict) else ():
            if key not in known:
                raise ValueError(unknown_name("key", key, known))
        return values


def read_yaml(path: str | Path) -> Any:
    """Reads one YAML file.

    Args:
      path: the file, UTF-8.

    Returns:
      Its content: dictionaries, lists, strings and numbers.

    Raises:
      ConfigError: no such file, no YAML, or a key that occurs twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}")
    return parse_yaml(text, path)


def parse_yaml(text: str, source: str | Path) -> Any:
    """Reads YAML text as ``read_yaml`` reads a file.

    Args:
      text: the YAML.
      source: where it is from, for messages.

    Returns:
      Its content.

    Raises:
      ConfigError: no YAML, or a key that occurs twice.
    """
    try:
        # A SafeLoader subclass: it builds no objects.
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: no valid YAML: {' '.join(str(error).split())}")


def validate(model: type[ModelT], values: Any, source: str | Path) -> ModelT:
    """Builds a configuration from what a YAML file says.

    Args:
      model: the class to build.
      values: the content of the file.
      source: the file's name, for messages.

    Returns:
      The configuration.

    Raises:
      ConfigError: names the file, the key, what was expected and what was found.
    """
    try:
        return model.model_validate(_freeze(values))
    except ValidationError as error:
        raise ConfigError(f"{source}: {_first_problem(error)}")


def _freeze(values: Any) -> Any:
    """Turns YAML's lists into the tuples that a frozen configuration holds."""
    if isinstance(values, dict):
        return {str(key): _freeze(value) for key, value in values.items()}
    return tuple(map(_freeze, values)) if isinstance(values, list) else values


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    key = ".".join(str(step) for step in problem["loc"])
    text = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "model_type":
        text = "expected keys with values"
    if problem["type"] not in ("value_error", "missing"):
        text += f", found {str(problem['input'])[:60]!r}"
    more = error.error_count() - 1
    return (f"{key}: " if key else "") + text + (f" (and {more} more)" if more else "")


class _Loader(yaml.SafeLoader):
    """Reads ``1e-3`` as a number, as YAML 1.2 does, and refuses a key that occurs twice.

    ``2024-05-01`` is a text, as in YAML 1.2: folders of recordings are called so.
    """

    yaml_implicit_resolvers = {
        first: [(tag, regex) for tag, regex in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        mapping = super().construct_mapping(node, deep=True)
        if len(mapping) < len(node.value):
            keys = [self.construct_object(key) for key, _ in node.value]
            repeated = sorted({str(key) for key in keys if keys.count(key) > 1})
            raise yaml.constructor.ConstructorError(
                None, None, f"key used twice: {', '.join(repeated)}", node.start_mark
            )
        return mapping


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)
