"""The floor that a network has to beat: each pixel by its colour and position alone."""

from functools import partial

import keras

from semseg.networks.blocks import image_input
from semseg.networks.heads import NumClasses, classify, heads
from semseg.networks.layers import AppendPosition


def color_position(
    num_classes: NumClasses, *, channels: int = 3, hidden_width: int = 64, hidden_layers: int = 2
) -> keras.Model:
    """Builds a per-pixel perceptron that sees no neighbour.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      hidden_width: channels of each hidden layer.
      hidden_layers: number of hidden layers.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``. Positions are relative to the image: train it on
      whole images.
    """
    image, x = image_input(channels)
    x = AppendPosition(name="position")(x)
    for index in range(hidden_layers):
        x = keras.layers.Conv2D(
            hidden_width,
            1,
            activation="relu",
            kernel_initializer="he_normal",
            name=f"hidden{index}",
        )(x)
    return keras.Model(image, heads(num_classes, partial(classify, x)), name="color_position")
