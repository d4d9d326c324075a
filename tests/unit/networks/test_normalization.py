import keras
import numpy as np
import tensorflow as tf

from semseg.networks.normalization import BatchNormalization
from tolerances import EPS, of_means


def _outputs_gradients_and_statistics(layer, features):
    features = tf.constant(features)
    with tf.GradientTape() as tape:
        tape.watch(features)
        outputs = layer(features, training=True)
        score = tf.reduce_sum(tf.sin(outputs))
    gradients = tape.gradient(score, [features, *(v.value for v in layer.trainable_variables)])
    return [outputs, *gradients, *(v.value for v in layer.non_trainable_variables)]


def test_the_fused_kernel_gives_what_keras_gives():
    features = np.random.default_rng(0).normal(1, 3, (3, 5, 7, 4)).astype(np.float32)
    fused = _outputs_gradients_and_statistics(BatchNormalization(momentum=0.9), features)
    plain = _outputs_gradients_and_statistics(
        keras.layers.BatchNormalization(momentum=0.9), features
    )
    assert len(fused) == 6
    for ours, theirs in zip(fused, plain):
        tolerance = of_means(features[..., 0].size, np.abs(features).max() ** 2)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def test_inference_uses_the_running_statistics():
    layer = BatchNormalization(epsilon=0.0)
    layer.build((None, None, None, 2))
    layer.moving_mean.assign([1.0, 2.0])
    layer.moving_variance.assign([4.0, 0.25])
    outputs = layer(np.full((1, 1, 1, 2), 3.0, np.float32), training=False)
    np.testing.assert_allclose(np.ravel(outputs), [1.0, 2.0], rtol=8 * EPS)
