"""What the sections of an experiment's configuration are made of."""

from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from semseg.data.declarations.strict_yaml import StrictModel
from semseg.errors import unknown_name

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


def one_of(kind: str, models: dict[str, type[StrictModel]]) -> Any:
    """Returns the type of a section whose ``name`` says which options it has.

    Args:
      kind: what the section chooses, such as ``'loss'``.
      models: the section of each name.
    """

    def known(value: Any) -> Any:
        name = value.get("name") if isinstance(value, dict) else None
        if not isinstance(name, str) or name not in models:
            raise ValueError(unknown_name(kind, name, models))
        return value

    union = reduce(or_, models.values())
    section = Annotated[union, Field(discriminator="name")] if len(models) > 1 else union
    return Annotated[section, BeforeValidator(known)]
