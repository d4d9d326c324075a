"""The tolerances of the tests: any order of a sum is within them, a lost product is not."""

import numpy as np
import pytest

from tolerances import assert_same_labels, of_means, of_sums, softmax


def _orders(values):
    """Sums of float32 one after the other, backwards, by size, in blocks of 4 to 16, by pairs."""
    for ordered in (values, values[::-1], np.sort(values), values[np.argsort(-abs(values))]):
        yield np.cumsum(ordered, dtype=np.float32)[-1]
    for width in (4, 8, 16):
        padded = np.append(values, np.zeros(-len(values) % width, np.float32))
        yield np.cumsum(np.cumsum(padded.reshape(-1, width), axis=0)[-1])[-1]
    yield np.add.reduce(values)


@pytest.mark.parametrize("products", [2, 27, 147, 5000])
@pytest.mark.parametrize("sign", ["both", "positive"])
def test_any_order_is_within_the_tolerance_and_a_lost_product_is_not(products, sign):
    rng = np.random.default_rng(products)
    left, right = rng.normal(size=(2, products)).astype(np.float32)
    values = abs(left * right) if sign == "positive" else left * right
    tolerance = of_sums(products, abs(values).sum())
    exact = values.astype(np.float64).sum()
    found = np.array(list(_orders(values)), np.float64)
    assert np.ptp(found) <= tolerance and abs(found - exact).max() <= tolerance
    assert np.median(abs(values)) > (10 if products < 1000 else 0.1) * tolerance


def test_means_are_within_theirs():
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 3, 768).astype(np.float32)
    means = [total / np.float32(768) for total in _orders(values)]
    assert np.ptp(means) <= of_means(768, 3) < 1e-3


def test_labels_may_differ_where_rounding_decides_and_nowhere_else():
    logits = np.array([[[0.0, 1e-6, -3.0], [2.0, 0.0, -1.0]]])
    for labels in ([[0, 0]], [[1, 0]]):
        assert_same_labels(labels, logits, 1e-6)
    for labels in ([[2, 0]], [[0, 1]]):
        with pytest.raises(AssertionError):
            assert_same_labels(labels, logits, 1e-6)
    with pytest.raises(AssertionError, match="would say nothing"):
        assert_same_labels([[0, 0]], logits, 1.0)


def test_softmax_is_that_of_float64():
    np.testing.assert_allclose(softmax(np.float32([0, 1000])), [0, 1])
    np.testing.assert_allclose(softmax(np.log([1.0, 3.0])), [0.25, 0.75])
