import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.classes import IGNORE
from semseg.data.prepare import vote_labels


def test_three_quarters_of_a_block_win():
    labels = np.array([[1, 1, 1, 1, 1, 2], [1, 1, 1, 2, 2, 2]], np.uint8)
    assert vote_labels(labels, 2).tolist() == [[1, 1, 2]]


def test_less_than_three_quarters_are_void():
    labels = np.array([[1, 1, 3, 4], [2, 2, 5, 6]], np.uint8)
    assert vote_labels(labels, 2).tolist() == [[IGNORE, IGNORE]]


def test_void_votes_too():
    labels = np.array([[IGNORE, IGNORE, 1, 1], [IGNORE, 1, 1, IGNORE]], np.uint8)
    assert vote_labels(labels, 2).tolist() == [[IGNORE, 1]]


def test_twelve_of_sixteen_are_enough_and_eleven_are_not():
    labels = np.zeros((4, 8), np.uint8)
    labels[0, :4] = 7
    labels[0, 4:], labels[1, 4] = 7, 7
    assert vote_labels(labels, 4).tolist() == [[0, IGNORE]]


def test_rows_and_columns_that_fill_no_block_are_left_out():
    labels = np.full((5, 7), 4, np.uint8)
    labels[4], labels[:, 6] = 9, 9
    assert vote_labels(labels, 2).tolist() == [[4, 4, 4], [4, 4, 4]]


def test_a_factor_of_one_changes_nothing():
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(vote_labels(labels, 1), labels)


@given(st.integers(2, 5), st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.95]))
@settings(max_examples=60, deadline=None)
def test_the_vote_is_that_of_counting_each_label(factor, seed, share):
    rng = np.random.default_rng(seed)
    noise = rng.choice(np.array([0, 1, 18, IGNORE], np.uint8), (20, 30))
    labels = np.where(rng.random((20, 30)) < share, np.uint8(5), noise)
    small = vote_labels(labels, factor)
    for row, column in np.ndindex(small.shape):
        block = labels[row * factor :, column * factor :][:factor, :factor]
        values, votes = np.unique(block, return_counts=True)
        winner = values[votes.argmax()] if votes.max() >= 0.75 * block.size else IGNORE
        assert small[row, column] == winner


@pytest.mark.parametrize("factor", [2, 3])
def test_no_label_is_invented(factor):
    labels = np.random.default_rng(0).choice(np.array([0, 200], np.uint8), (30, 30))
    assert set(np.unique(vote_labels(labels, factor))) <= {0, 200, IGNORE}
