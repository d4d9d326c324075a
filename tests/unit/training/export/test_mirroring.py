import keras
import numpy as np
import pytest

from semseg.networks.heads import heads
from semseg.training.export.freeze import mirrored
from tolerances import of_network

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 4, 7, 3)).astype(np.float32)


def _one_sided(num_classes):
    """A network whose logits at a pixel depend on the pixel at its right."""
    image = keras.Input((None, None, 3))
    shifted = keras.layers.Lambda(lambda x: keras.ops.roll(x, -1, axis=2))(image)
    convolve = lambda count, name: keras.layers.Conv2D(count, 1, name=name)(shifted)  # noqa: E731
    return keras.Model(image, heads(num_classes, convolve))


@pytest.mark.parametrize("num_classes", [4, {"camvid": 2, "town": 5}])
def test_logits_are_the_mean_of_both_ways(num_classes):
    model = _one_sided(num_classes)
    straight = model.predict_on_batch(IMAGES)
    turned = model.predict_on_batch(IMAGES[:, :, ::-1])
    expected = keras.tree.map_structure(lambda a, b: (a + b[:, :, ::-1]) / 2, straight, turned)
    found = mirrored(model).predict_on_batch(IMAGES)
    near = of_network(model, IMAGES)
    keras.tree.map_structure(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=near), found, expected
    )
    first = lambda logits: keras.tree.flatten(logits)[0]  # noqa: E731
    assert np.abs(first(found) - first(straight)).max() > 1


def test_a_mirrored_image_has_mirrored_logits():
    model = mirrored(_one_sided(4))
    straight, turned = (model.predict_on_batch(x) for x in (IMAGES, IMAGES[:, :, ::-1]))
    near = of_network(model, IMAGES)
    np.testing.assert_allclose(turned[:, :, ::-1], straight, rtol=0, atol=near)
