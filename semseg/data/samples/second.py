"""Second inputs: the right image of a stereo pair, or the disparity of the image's pixels.

Disparity is how many pixels further left a point is in the right image than in the left one; the
left one is the dataset's image, which the labels belong to. 0 means unknown.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semseg.data.declarations.specs import DepthConfig, DisparityConfig, FolderSpec, SecondKind
from semseg.data.files.pixels import read_raw_ids
from semseg.data.samples.label_decoder import LabelDecoder
from semseg.data.samples.pairing import FilePair, list_some
from semseg.errors import ConfigError, DatasetError, unknown_name
from semseg.runtime.images.image_file import read_image

_SATURATED = 65535
"""What a 16-bit depth file says of what is farther away than it can say."""


class RightFiles(NamedTuple):
    """The right image of a sample, and the labels of that, if there are any."""

    path: Path
    label_path: Path | None
    decoder: LabelDecoder

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of its files."""
        return (self.path, self.label_path) if self.label_path else (self.path,)

    def read(self) -> np.ndarray:
        """Returns the right image, uint8 (H, W, 3) RGB; raises ``ImageError``."""
        return read_image(self.path)

    def read_labels(self) -> np.ndarray | None:
        """Returns the labels of the right image, uint8 (H, W); raises as a decoder does."""
        return self.decoder.read(self.label_path) if self.label_path else None


class DisparityFile(NamedTuple):
    """The disparity of a sample."""

    path: Path
    config: DisparityConfig

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of its files."""
        return (self.path,)

    def read(self) -> np.ndarray:
        """Returns the disparity, float32 (H, W, 1), pixels; raises ``ImageError``."""
        values = read_raw_ids(self.path, "uint16")[..., np.newaxis].astype(np.float32)
        if self.config.depth is not None:
            return _disparity_of_depth(values, self.config.depth)
        disparity = np.float32(self.config.scale) * values + np.float32(self.config.offset)
        return np.where(values > 0, np.maximum(disparity, 0), np.float32(0))


def find_second(
    spec: FolderSpec,
    kind: SecondKind | None,
    pairs: Sequence[FilePair],
    roots: tuple[Path, Path],
    decoder: LabelDecoder,
) -> dict[str, RightFiles | DisparityFile]:
    """Finds the second inputs of images.

    Args:
      spec: the dataset's declaration.
      kind: which; None finds nothing.
      pairs: images and label files.
      roots: folders of images (and second inputs) and of label files.
      decoder: of the dataset.

    Returns:
      Image -> its second input; without the images that have none, see ``RightConfig``.

    Raises:
      ConfigError: the dataset declares no second input of this kind.
      DatasetError: files are missing.
    """
    if kind is None:
        return {}
    expected = expected_second(spec, kind, pairs, roots, decoder)
    found = {image: second for image, second in expected.items() if second.path.is_file()}
    missing = [image for image in expected if image not in found]
    if missing or not expected:
        raise DatasetError(
            f"{len(missing) if expected else 'all'} of {len(pairs)} images of '{spec.name}' have "
            f"no {kind} file: {list_some(missing or [pair.image for pair in pairs])}"
        )
    return found


def expected_second(
    spec: FolderSpec,
    kind: SecondKind,
    pairs: Sequence[FilePair],
    roots: tuple[Path, Path],
    decoder: LabelDecoder,
) -> dict[str, RightFiles | DisparityFile]:
    """Says where second inputs should be, as ``find_second``, whether they are there or not."""
    seconds = ((pair.image, _second_of(spec, kind, pair, roots, decoder)) for pair in pairs)
    return {image: second for image, second in seconds if second is not None}


def _second_of(
    spec: FolderSpec,
    kind: SecondKind,
    pair: FilePair,
    roots: tuple[Path, Path],
    decoder: LabelDecoder,
) -> RightFiles | DisparityFile | None:
    """Returns the second input of an image; None if its path says that it has none."""
    images, labels = roots
    config = spec.second.right if kind == "right" else spec.second.disparity
    if config is None:
        declared = [name for name, value in spec.second if value is not None]
        raise ConfigError(unknown_name(f"second input of '{spec.name}'", kind, declared))
    path = replaced(pair.image, config.replace)
    if path is None:
        return None
    if isinstance(config, DisparityConfig):
        return DisparityFile(images / path, config)
    label_path = replaced(str(pair.label), config.replace_labels) if config.replace_labels else None
    return RightFiles(images / path, labels / label_path if label_path else None, decoder)


def replaced(path: str, replacements: Mapping[str, str]) -> str | None:
    """Returns a path with parts replaced; None if one of the texts to replace is not there."""
    for old, new in replacements.items():
        if old not in path:
            return None
        path = path.replace(old, new)
    return path


def _disparity_of_depth(values: np.ndarray, depth: DepthConfig) -> np.ndarray:
    known = (values > 0) & (values < _SATURATED)
    factor = np.float32(depth.focal_length_px * depth.baseline_m / depth.unit_m)
    return np.where(known, factor / np.where(known, values, 1), np.float32(0))
