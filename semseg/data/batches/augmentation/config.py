"""The strength of each augmentation, as an experiment's YAML file says it."""

from typing import Annotated

from pydantic import Field, PositiveInt, model_validator

from semseg.data.declarations.strict_yaml import StrictModel

Probability = Annotated[float, Field(ge=0, le=1)]
Strength = Annotated[float, Field(ge=0, lt=1)]
Zoom = Annotated[float, Field(ge=0.1, le=10)]


class AugmentationConfig(StrictModel):
    """Strength of each augmentation; a default of 0 (or a zoom of 1) leaves it out.

    Strengths are drawn evenly from none to the greatest, either way where there are two ways.

    Attributes:
      crop: (height, width) of the result; None keeps the image's size. What exceeds the image
        is padded with ``IGNORE``.
      flip: probability of a horizontal flip.
      zoom: (least, greatest) magnification, drawn evenly between; 2 shows objects twice as large.
      rotation_deg: greatest rotation about the centre of the result, degrees, either way.
      shear_deg: greatest slant of upright lines, degrees, either way.
      shadow: greatest share of the light that a cast shadow takes.
      illumination: greatest change of the light from the centre to one side, as a share.
      blur_px: greatest standard deviation of a Gaussian blur, pixels of the result.
      noise: greatest standard deviation of Gaussian noise, as a share of the full range.
      hue_deg: greatest turn of the colours about the grey axis, degrees, either way.
      saturation: greatest change of the distance to the pixel's grey, either way, as a share.
      gamma: greatest |Z| of the FRRN paper's rule, see ``gamma_exponent``; the paper has 0.05.
      contrast: greatest change of the distance to mid-grey, either way, as a share.
      brightness: greatest change of brightness, either way, as a share of the full range.
      jpeg: greatest share of a JPEG's quality that is lost; 0.7 compresses at 30..100 of 100.
      class_mix: probability that half of another sample's classes are pasted over a sample.
    """

    crop: tuple[PositiveInt, PositiveInt] | None = None
    flip: Probability = 0.5
    zoom: tuple[Zoom, Zoom] = (1.0, 1.0)
    rotation_deg: Annotated[float, Field(ge=0, le=180)] = 0.0
    shear_deg: Annotated[float, Field(ge=0, le=60)] = 0.0
    shadow: Strength = 0.0
    illumination: Strength = 0.0
    blur_px: Annotated[float, Field(ge=0, le=20)] = 0.0
    noise: Strength = 0.0
    hue_deg: Annotated[float, Field(ge=0, le=180)] = 0.0
    saturation: Strength = 0.0
    gamma: Annotated[float, Field(ge=0, lt=0.7)] = 0.0
    contrast: Strength = 0.0
    brightness: Strength = 0.0
    jpeg: Strength = 0.0
    class_mix: Probability = 0.0

    @model_validator(mode="after")
    def _order_zoom(self) -> "AugmentationConfig":
        if self.zoom[0] > self.zoom[1]:
            raise ValueError(f"zoom is (least, greatest), found {list(self.zoom)}")
        return self
