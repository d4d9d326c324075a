"""Layers that depend on the size of an image that is known only when it arrives.

All of them read sizes inside ``call``: outside a layer ``keras.ops.shape`` of an open size is
None, so that cropping to it crops nothing, without an error.
"""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("semseg")
class PadToMultiple(keras.layers.Layer):
    """Pads an image with zeros at the bottom and right to a multiple of ``multiple``.

    Args:
      multiple: height and width of the output are multiples of it.
    """

    def __init__(self, multiple: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.multiple = multiple

    def call(self, image: Any) -> Any:
        """Pads ``image`` [N, H, W, C] to [N, H', W', C]."""
        # -size, as (multiple - 1) * size: ONNX takes remainders of negative numbers otherwise.
        bottom, right = (
            (self.multiple - 1) * size % self.multiple for size in ops.shape(image)[1:3]
        )
        return ops.pad(image, [[0, 0], [0, bottom], [0, right], [0, 0]])

    def compute_output_shape(self, shape: tuple) -> tuple:
        """Rounds the known sizes up; open sizes stay open."""
        sizes = (size if size is None else size + -size % self.multiple for size in shape[1:3])
        return (shape[0], *sizes, shape[3])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "multiple": self.multiple}


@keras.saving.register_keras_serializable("semseg")
class PadChannels(keras.layers.Layer):
    """Appends channels of zeros.

    Args:
      width: channels of the output.
    """

    def __init__(self, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width

    def call(self, features: Any) -> Any:
        """Widens features [N, H, W, C] to [N, H, W, width]."""
        return ops.pad(features, [[0, 0], [0, 0], [0, 0], [0, self.width - features.shape[-1]]])

    def compute_output_shape(self, shape: tuple) -> tuple:
        """Has ``width`` channels."""
        return (*shape[:3], self.width)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "width": self.width}


class _Like(keras.layers.Layer):
    """Gives ``features`` the height and width of ``like``: inputs [features, like]."""

    def compute_output_shape(self, shapes: list[tuple]) -> tuple:
        """Takes the size of the second input, batch and channels of the first."""
        features, like = shapes
        return (features[0], like[1], like[2], features[3])


@keras.saving.register_keras_serializable("semseg")
class CropLike(_Like):
    """Cuts off what ``PadToMultiple`` added: inputs [features, like]."""

    def call(self, inputs: list) -> Any:
        """Crops features [N, H', W', C] to [N, H, W, C] of ``like``."""
        features, like = inputs
        height, width = ops.shape(like)[1:3]
        return features[:, :height, :width]


@keras.saving.register_keras_serializable("semseg")
class ResizeLike(_Like):
    """Resizes features bilinearly (half-pixel centres) to the size of ``like``."""

    def call(self, inputs: list) -> Any:
        """Resizes features [N, h, w, C] to [N, H, W, C] of ``like``."""
        features, like = inputs
        return ops.image.resize(features, ops.shape(like)[1:3], interpolation="bilinear")


@keras.saving.register_keras_serializable("semseg")
class EverySecondPixel(keras.layers.Layer):
    """Takes the rows and columns 0, 2, 4, ...: a quarter of the pixels."""

    def call(self, features: Any) -> Any:
        """Thins features [N, H, W, C] to [N, ceil(H / 2), ceil(W / 2), C]."""
        return features[:, ::2, ::2]

    def compute_output_shape(self, shape: tuple) -> tuple:
        """Halves the known sizes, rounded up; open sizes stay open."""
        halves = (size if size is None else (size + 1) // 2 for size in shape[1:3])
        return (shape[0], *halves, shape[3])


@keras.saving.register_keras_serializable("semseg")
class DoubleSize(keras.layers.Layer):
    """Nearest-neighbour upsampling by two."""

    def call(self, features: Any) -> Any:
        """Repeats rows and columns of features [N, H, W, C] to [N, 2H, 2W, C]."""
        return _doubled(features)

    def compute_output_shape(self, shape: tuple) -> tuple:
        """Doubles the known sizes; open sizes stay open."""
        return (shape[0], *(size if size is None else 2 * size for size in shape[1:3]), shape[3])


@keras.saving.register_keras_serializable("semseg")
class MaxUnpool(keras.layers.Layer):
    """Puts features back where a 2x2 max pooling found its maxima: [features, before, pooled].

    The places are found by comparison, which every engine can do: where several pixels of a cell
    share the maximum, all of them get the feature.
    """

    def call(self, inputs: list) -> Any:
        """Spreads features [N, H, W, C] to [N, 2H, 2W, C], the size of ``before``."""
        features, before, pooled = inputs
        is_maximum = ops.equal(before, _doubled(pooled))
        return _doubled(features) * ops.cast(is_maximum, features.dtype)

    def compute_output_shape(self, shapes: list[tuple]) -> tuple:
        """Is the shape of the features before pooling."""
        return shapes[1]


@keras.saving.register_keras_serializable("semseg")
class AdaptiveAverage(keras.layers.Layer):
    """Averages an image of any size over ``bins`` x ``bins`` cells: adaptive average pooling.

    Cell i covers the rows ``floor(i H / bins)`` to ``ceil((i + 1) H / bins)``; cells overlap
    where H is no multiple of ``bins``, and repeat pixels where it is smaller.

    Args:
      bins: cells per axis.
    """

    def __init__(self, bins: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bins = bins

    def call(self, features: Any) -> Any:
        """Averages features [N, H, W, C] to [N, bins, bins, C]."""
        height, width = ops.shape(features)[1:3]
        rows = self._weights(height, features.dtype)  # [bins, H]
        columns = self._weights(width, features.dtype)  # [bins, W]
        return ops.einsum("bh,nhwc,dw->nbdc", rows, features, columns)

    def _weights(self, size: Any, dtype: Any) -> Any:
        cells = ops.arange(self.bins, dtype="int32")[:, None]
        # Rounded up without negative numbers, whose integer division ONNX rounds the other way.
        first, end = cells * size // self.bins, ((cells + 1) * size + self.bins - 1) // self.bins
        position = ops.arange(size, dtype="int32")[None]
        inside = ops.cast(ops.logical_and(position >= first, position < end), dtype)
        return inside / ops.cast(end - first, dtype)

    def compute_output_shape(self, shape: tuple) -> tuple:
        """Has a fixed size, whatever that of the input."""
        return (shape[0], self.bins, self.bins, shape[3])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "bins": self.bins}


@keras.saving.register_keras_serializable("semseg")
class AppendPosition(keras.layers.Layer):
    """Appends the position of each pixel as two channels, y and x, both -1..1."""

    def call(self, image: Any) -> Any:
        """Appends to ``image`` [N, H, W, C], giving [N, H, W, C + 2]."""
        height, width = ops.shape(image)[1:3]
        plane = ops.zeros_like(image[..., :1])
        y, x = self._axis(height, image.dtype), self._axis(width, image.dtype)
        return ops.concatenate([image, plane + y[:, None, None], plane + x[:, None]], axis=-1)

    @staticmethod
    def _axis(size: Any, dtype: Any) -> Any:
        centers = ops.cast(ops.arange(size, dtype="int32"), dtype) + 0.5
        return 2 * centers / ops.cast(size, dtype) - 1

    def compute_output_shape(self, shape: tuple) -> tuple:
        """Adds two channels."""
        return (*shape[:3], shape[3] + 2)


def _doubled(features: Any) -> Any:
    height, width = ops.shape(features)[1:3]
    return ops.image.resize(features, (2 * height, 2 * width), interpolation="nearest")
