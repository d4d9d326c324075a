import keras
import numpy as np

from semseg.training.training_step import settle_statistics
from tolerances import of_means


def test_statistics_are_the_means_over_all_batches():
    image = keras.Input((None, None, 2))
    norm = keras.layers.BatchNormalization(momentum=0.9)
    model = keras.Model(image, norm(image))
    rng = np.random.default_rng(0)
    batches = [rng.normal(index, 1 + index, (4, 3, 5, 2)).astype(np.float32) for index in range(3)]
    settle_statistics(model, iter(batches))
    means = np.mean([batch.mean((0, 1, 2)) for batch in batches], axis=0)
    variances = np.mean([batch.var((0, 1, 2)) for batch in batches], axis=0)
    values, largest = sum(batch[..., 0].size for batch in batches), np.max(np.abs(batches))
    near = of_means(values, largest), of_means(values, largest**2)
    np.testing.assert_allclose(norm.moving_mean, means, rtol=0, atol=near[0])
    np.testing.assert_allclose(norm.moving_variance, variances, rtol=0, atol=near[1])
    assert norm.momentum == 0.9
