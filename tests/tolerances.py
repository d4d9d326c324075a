"""How far two float32 results of one formula may be apart: as far as rounding brings them, no more.

Processors differ in the width of their registers, in fused multiplication and addition, and in how
many threads share a sum; so the same products are added in another order. A tolerance read off one
machine fails on the next one. These follow from arithmetic:

- One operation is off by at most ``EPS / 2`` of its result.
- A sum of n products, in whatever order, is off by at most ``n * EPS / 2`` times the sum of their
  absolute values (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), and by at
  most ``8 * sqrt(n) * EPS / 2`` times it with a probability of all but 1e-13 (Higham and Mary, A
  New Approach to Probabilistic Rounding Error Analysis, 2019). Two such sums are twice that apart.

A wrong kernel, a lost product or a swapped axis is an error of the size of the operands: thousands
of times as much.
"""

import math

import numpy as np

EPS = float(np.finfo(np.float32).eps)
ELEMENTARY = 8
"""Operations beside the sum: an exponential, a logarithm, a quotient, each a few roundings."""
SLOPE = 2e-3
"""Relative; a float32 gradient against a central difference in float64 with a step of 1e-5. The
quotient is exact to 1e-9; a gradient is made of differences of probabilities, and the greatest
ones, which are compared, have lost three of float32's seven digits at most."""


def of_sums(products, size):
    """Of two sums of as many products.

    Args:
      products: their number: for a convolution height * width * channels of its kernel.
      size: sum of the absolute values of the products, or a bound of it; a number or an array.
    """
    return min(products, 8 * math.sqrt(products)) * EPS * size


def of_means(values, size):
    """Of two means of as many values, each made by ``ELEMENTARY`` operations.

    Args:
      values: their number.
      size: the largest absolute value that goes into them, such as that of the logits.
    """
    return of_sums(values, size) + ELEMENTARY * EPS * size


def of_network(model, inputs, read=None):
    """Of the outputs of a Keras network, once in Keras and once as a frozen graph, say.

    Rounding in a sum of n products is the exact sum of products of which each is changed by
    ``of_sums(n, 1)`` of itself. So every weight is changed by that much, up or down by chance, and
    the outputs tell how much it matters behind all layers: a bound along the depth would be as
    many times too wide as the layers' gains multiply to. Four times the largest of a few draws.

    Args:
      model: the network; its weights are the same afterwards.
      inputs: what it is given, in the form of ``model.predict_on_batch``.
      read: function of the outputs whose change counts; default: the outputs themselves.
    """

    def outputs():
        found = model.predict_on_batch(inputs)
        return [np.asarray(array, np.float64) for array in _arrays(read(found) if read else found)]

    weights, exact = model.get_weights(), outputs()
    random = np.random.default_rng(0)
    largest = EPS * max(np.abs(array).max() for array in exact)
    try:
        for _ in range(4):
            model.set_weights([_rounded(weight, random) for weight in weights])
            changes = [np.abs(a - b).max() for a, b in zip(outputs(), exact)]
            largest = max(largest, *changes)
    finally:
        model.set_weights(weights)
    return 4 * float(largest)


def softmax(logits):
    """Probabilities in float64: exact, compared with float32."""
    powers = np.exp(np.subtract(logits, np.max(logits, axis=-1, keepdims=True), dtype=np.float64))
    return powers / powers.sum(axis=-1, keepdims=True)


def assert_same_labels(labels, logits, tolerance):
    """Each label is the class of the greatest logit, or of one that rounding makes it.

    Args:
      labels: integers (H, W).
      logits: what they were made of elsewhere, or probabilities (H, W, classes).
      tolerance: of the logits.
    """
    logits = np.asarray(logits, np.float64)
    spread = np.ptp(logits, axis=-1).mean()
    assert tolerance < 0.05 * spread, "labels within such a tolerance would say nothing"
    chosen = np.take_along_axis(logits, np.asarray(labels, np.intp)[..., np.newaxis], -1)[..., 0]
    assert (chosen >= logits.max(axis=-1) - 2 * tolerance).all()


def _rounded(weight, random):
    """The weight with each value changed by what rounding in its sum amounts to."""
    products = math.prod(weight.shape[:-1]) if weight.ndim > 1 else ELEMENTARY
    signs = random.choice([-1, 1], weight.shape)
    return (weight * (1 + of_sums(products, 1) * signs)).astype(weight.dtype)


def _arrays(found):
    if isinstance(found, dict):
        return [array for value in found.values() for array in _arrays(value)]
    if isinstance(found, (list, tuple)):
        return [array for value in found for array in _arrays(value)]
    return [found]
