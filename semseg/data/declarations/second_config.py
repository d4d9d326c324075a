"""What a declaration says of second inputs: where they are, and how their files hold them."""

from typing import Annotated, Literal

from pydantic import Field

from semseg.data.declarations.strict_yaml import StrictModel

SecondKind = Literal["right", "disparity"]

UNITS_PER_PIXEL = 256
"""Values of a disparity file for each pixel, where a declaration says nothing else."""

Positive = Annotated[float, Field(gt=0)]
Replacements = Annotated[dict[str, str], Field(min_length=1)]


class RightConfig(StrictModel):
    """Where right images are.

    Attributes:
      replace: text in an image's path -> text in the path of its right image. An image whose path
        lacks one of the texts has no right image and is left out, such as those of the right
        camera where a split has the images of both.
      replace_labels: the same for the label file's path, if right images have labels. Without
        these a sample cannot be mirrored, since that makes the right image the left one.
    """

    replace: Replacements
    replace_labels: Replacements | None = None


class DepthConfig(StrictModel):
    """How files of depth become disparity: focal length * baseline / (unit * value).

    Attributes:
      unit_m: metres for each unit of the file's values.
      focal_length_px: focal length of the left camera, pixels of the file.
      baseline_m: distance of the cameras, metres.
    """

    unit_m: Positive
    focal_length_px: Positive
    baseline_m: Positive


class DisparityConfig(StrictModel):
    """Where disparities are and how 16-bit files hold them; a value of 0 is unknown in any case.

    Attributes:
      replace: text in an image's path -> text in the path of its file, see ``RightConfig``.
      scale: pixels for each unit of the file's values.
      offset: pixels that are added.
      depth: instead of both, what the file's values are if they are depth.
    """

    replace: Replacements
    scale: Positive = 1 / UNITS_PER_PIXEL
    offset: float = 0.0
    depth: DepthConfig | None = None


class SecondConfig(StrictModel):
    """Second inputs of a dataset.

    Attributes:
      right: its right images, if it has any.
      disparity: its disparities, if it has any.
    """

    right: RightConfig | None = None
    disparity: DisparityConfig | None = None
