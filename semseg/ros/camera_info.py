"""Camera info of what the node publishes: the camera's own, or that of a smaller image."""

from typing import Optional, Tuple

from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

from semseg.ros.messages import copy_header
from semseg.runtime.images.geometry import Size
from semseg.runtime.images.view import Placement

MAX_BINNING = 8
"""Largest factor by which images are believed to be binned."""


def image_size(info: CameraInfo) -> Size:
    """Returns the (height, width) of the images that an info describes.

    Its own size is that of the full sensor; region of interest and binning come on top (REP 104).
    """
    height, width = info.roi.height or info.height, info.roi.width or info.width
    return height // max(1, info.binning_y), width // max(1, info.binning_x)


def fitted(info: CameraInfo, size: Size) -> Optional[CameraInfo]:
    """Returns an info as that of images of a size, if they differ by binning at most.

    Drivers that bin (or a decimating nodelet) often send the info of the full image unchanged.

    Args:
      info: what the camera sent.
      size: (height, width) of its images.

    Returns:
      The info itself, or one whose binning is that of the images; None if no binning makes its
      size theirs (0x0 among others).
    """
    if image_size(info) == tuple(size):
        return info
    full = info.roi.height or info.height, info.roi.width or info.width
    factor = full[0] // size[0]
    if not 1 <= factor <= MAX_BINNING or tuple(length // factor for length in full) != tuple(size):
        return None
    fields = {name: getattr(info, name) for name in CameraInfo.__slots__}
    return CameraInfo(**dict(fields, binning_x=factor, binning_y=factor))


def output_camera_info(info: CameraInfo, header: Header, placement: Placement) -> CameraInfo:
    """Returns the camera info of the node's outputs.

    Args:
      info: that of the camera's images, whose size is ``placement.image_size``.
      header: the camera image's header.
      placement: how the outputs lie in the camera's image.
    """
    fields = {name: getattr(info, name) for name in CameraInfo.__slots__}
    fields["header"] = copy_header(header)
    if placement.region_only:
        fields.update(_region_fields(info, placement))
    return CameraInfo(**fields)


def _region_fields(info, placement):
    """Describes the region as the full image of a camera of its own.

    Scaled as ``image_proc``'s resize does: the principal point by the factor of its axis.
    """
    height, width = placement.output_size
    top, left = placement.corner
    binning = max(1, info.binning_y), max(1, info.binning_x)
    scale_y = height / placement.region_size[0] / binning[0]
    scale_x = width / placement.region_size[1] / binning[1]
    offset_y = info.roi.y_offset + top * binning[0]
    offset_x = info.roi.x_offset + left * binning[1]
    return {
        "height": height,
        "width": width,
        "K": _moved(info.K, 3, (offset_x, offset_y), (scale_x, scale_y)),
        "P": _moved(info.P, 4, (offset_x, offset_y), (scale_x, scale_y)),
        "roi": RegionOfInterest(do_rectify=info.roi.do_rectify),
        "binning_x": 0,
        "binning_y": 0,
    }


def _moved(matrix, columns, offset: Tuple[float, float], scale: Tuple[float, float]):
    """Moves and scales the image of a row-major camera matrix of three rows."""
    moved = list(matrix)
    for row in (0, 1):
        moved[row * columns + 2] -= offset[row] * moved[2 * columns + 2]
        for column in range(columns):
            moved[row * columns + column] *= scale[row]
    return moved
