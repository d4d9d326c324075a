"""What a declaration says of the scores that only some datasets have."""

from typing import Annotated

from pydantic import Field

from semseg.data.declarations.second_config import Positive, Replacements
from semseg.data.declarations.strict_yaml import StrictModel
from semseg.errors import unknown_name


class InstanceConfig(StrictModel):
    """Where the instances of classes are, for the instance-weighted IoU of Cityscapes.

    Attributes:
      replace: text in a label file's path -> text in the path of its 16-bit instance file.
      divisor: a file's value is ``divisor * raw id + number`` on an instance; below it is none.
      mean_sizes: mean size of an instance of each class that has any, pixels.
    """

    replace: Replacements
    divisor: Annotated[int, Field(ge=2)]
    mean_sizes: Annotated[dict[str, Positive], Field(min_length=1)]


class ScoreConfig(StrictModel):
    """Scores beside the IoU of the classes.

    Attributes:
      categories: category -> its classes; a mix-up within a category is none for its IoU.
      instances: the instances, if there are files of them.
      road_class: the class that is scored as the KITTI road benchmark does.
    """

    categories: dict[str, tuple[str, ...]] = {}
    instances: InstanceConfig | None = None
    road_class: str | None = None

    def check(self, classes: tuple[str, ...]) -> None:
        """Raises ``ValueError`` if the names are not those of a dataset's classes."""
        sizes = self.instances.mean_sizes if self.instances else {}
        named = [name for members in self.categories.values() for name in members]
        for name in (*named, *sizes, *([self.road_class] if self.road_class else [])):
            if name not in classes:
                raise ValueError(unknown_name("class in scores", name, classes))
        if self.categories and sorted(named) != sorted(classes):
            raise ValueError("each class belongs to one category, or there are no categories")
