"""Batch normalisation that is as fast in training as the backend allows."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("semseg")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalisation over [N, H, W, C], by one fused kernel when TensorFlow trains it.

    Keras computes moments, scale and shift by separate elementwise operations; on a processor
    these cost as much as the convolutions of a narrow network. Results, weights and the frozen
    graph are the same (``docs/adr/0003-fused-batch-norm.md``).
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalises features [N, H, W, C]; training mode also moves the running statistics."""
        fused = training and self.trainable and keras.backend.backend() == "tensorflow"
        if not fused or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        return self._fused_call(inputs)

    def _fused_call(self, inputs: Any) -> Any:
        import tensorflow as tf

        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=keras.ops.cast(self.gamma, "float32"),
            offset=keras.ops.cast(self.beta, "float32"),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel returns the unbiased variance; Keras keeps the biased one.
        count = tf.cast(tf.size(inputs) / inputs.shape[-1], "float32")
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * (count - 1) / count)
        return outputs

    def _move(self, running: Any, value: Any) -> None:
        running.assign(running * self.momentum + value * (1 - self.momentum))
