"""The floor that a network has to beat: each pixel by its colour and position alone."""

import keras

from semseg.networks.layers import AppendPosition


def color_position(
    num_classes: int, *, channels: int = 3, hidden_width: int = 64, hidden_layers: int = 2
) -> keras.Model:
    """Builds a per-pixel perceptron that sees no neighbour.

    Args:
      num_classes: number of classes.
      channels: channels of the input.
      hidden_width: channels of each hidden layer.
      hidden_layers: number of hidden layers.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes]. Positions are relative to the image: train it on whole images.
    """
    image = keras.Input((None, None, channels), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(image)
    x = AppendPosition(name="position")(x)
    for index in range(hidden_layers):
        x = keras.layers.Conv2D(
            hidden_width,
            1,
            activation="relu",
            kernel_initializer="he_normal",
            name=f"hidden{index}",
        )(x)
    x = keras.layers.Conv2D(num_classes, 1, name="logits")(x)
    return keras.Model(image, x, name="color_position")
