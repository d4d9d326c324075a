"""Networks that see an image and its mirror image, and give the mean of what they say."""

from typing import Any

import keras


def mirrored(model: keras.Model) -> keras.Model:
    """Averages the logits of an image and those of its mirror image, mirrored back.

    Both go through the network as one batch: the model has the weights of ``model``, and takes
    twice its multiplications.

    Args:
      model: from images [N, H, W, 3], and nothing else, to logits [N, H, W, K], or to a dict of
        them by head.

    Returns:
      A model with the same inputs and outputs.
    """
    image = model.inputs[0]
    both = _BothWays(name="both_ways")(image)
    means = keras.tree.map_structure(
        lambda logits: _MeanOfBoth(name=f"mean_{logits.name.split('/')[0]}")(logits), model(both)
    )
    return keras.Model(image, means, name=model.name)


class _BothWays(keras.layers.Layer):
    """[N, H, W, C] to [2N, H, W, C]: the images, then their mirror images."""

    def call(self, images: Any) -> Any:
        return keras.ops.concatenate([images, keras.ops.flip(images, axis=2)], axis=0)


class _MeanOfBoth(keras.layers.Layer):
    """[2N, H, W, K] to [N, H, W, K]: the mean, the second half mirrored back."""

    def call(self, logits: Any) -> Any:
        straight, turned = keras.ops.split(logits, 2, axis=0)
        return (straight + keras.ops.flip(turned, axis=2)) / 2
