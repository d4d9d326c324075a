import itertools

import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data import AugmentationConfig
from semseg.data.batches.batches import SampleSource, batches
from semseg.data.batches.class_uniform import ClassUniform
from semseg.data.batches.mixing import draws, epoch_samples
from semseg.data.samples.samples import RemappedSample
from semseg.errors import ConfigError


class FlatSample:
    """A sample that shows one colour and one label."""

    image_path = label_path = None

    def __init__(self, name, label):
        self.name, self.label = name, label

    def read_image(self):
        return np.full((6, 8, 3), self.label, np.uint8)

    def read_labels(self):
        return np.full((6, 8), self.label, np.uint8)

    def read(self):
        return self.read_image(), self.read_labels()

    def read_second(self):
        return None

    def read_right_labels(self):
        return None


def first(count, stream):
    return list(itertools.islice(stream, count))


def drawn(count, *arguments, **options):
    order = draws(*arguments, **options)
    return [order[number] for number in range(count)]


def test_by_size_an_epoch_shows_each_sample_once():
    sizes = [30, 5, 10]
    order = drawn(2 * epoch_samples(sizes), sizes, 3)
    whole = [(dataset, sample) for dataset, size in enumerate(sizes) for sample in range(size)]
    passes = [[draw[:2] for draw in order[:45]], [draw[:2] for draw in order[45:]]]
    assert [sorted(one) for one in passes] == [whole, whole]
    assert passes[0] != passes[1]


def test_weights_are_kept_in_every_short_stretch():
    order = drawn(400, [1000, 3], 0, weights=[3.0, 1.0])
    for start in range(0, 400, 40):
        assert sum(draw.dataset for draw in order[start : start + 40]) == 10


def test_a_small_dataset_is_gone_through_before_it_repeats():
    small = [draw.sample for draw in drawn(300, [1000, 7], 0, weights=[1, 1]) if draw.dataset]
    for start in range(0, 140, 7):
        assert sorted(small[start : start + 7]) == list(range(7))


def test_datasets_of_one_size_have_orders_of_their_own():
    order = drawn(40, [20, 20], 5)
    assert [d.sample for d in order if d.dataset] != [d.sample for d in order if not d.dataset]


@pytest.mark.parametrize(
    ("sizes", "weights", "message"),
    [
        ([3, 4], [1.0], "positive weight for each of 2 datasets"),
        ([3, 4], [1.0, 0.0], "positive weight"),
        ([3, 0], None, r"needs a sample, found \[3, 0\] samples"),
    ],
)
def test_mistakes_are_named(sizes, weights, message):
    with pytest.raises(ConfigError, match=message):
        draws(sizes, 0, weights)


def sources():
    return [
        SampleSource([FlatSample(f"a/{number}", number) for number in range(9)]),
        SampleSource([FlatSample(f"b/{number}", 100 + number) for number in range(3)]),
    ]


def test_mixed_batches_depend_on_seed_and_number_alone():
    config = AugmentationConfig(crop=(4, 4), zoom=(0.5, 2))
    options = {"seed": 8, "weights": [1, 2]}
    whole = first(6, batches(sources(), config, 4, threads=1, **options))
    part = first(3, batches(sources(), config, 4, threads=3, start=3, **options))
    for batch, same in zip(whole[3:], part, strict=True):
        assert batch.names == same.names
        assert np.array_equal(batch.images, same.images)
        assert np.array_equal(batch.labels, same.labels)
        assert np.array_equal(batch.dataset, same.dataset)


def test_a_batch_says_which_dataset_each_sample_is_of():
    plain = AugmentationConfig(flip=0)
    for batch in first(5, batches(sources(), plain, 6, seed=0, weights=[1, 1])):
        assert batch.dataset.tolist() == (batch.labels[:, 0, 0] >= 100).astype(int).tolist()
        assert batch.dataset.sum() == 3
        assert [name[0] for name in batch.names] == ["ab"[index] for index in batch.dataset]


def test_remapped_samples_have_the_labels_of_the_other_table():
    table = np.full(256, IGNORE, np.uint8)
    table[4] = 1
    road, sky = (RemappedSample(FlatSample(f"a/{label}", label), table) for label in (4, 5))
    assert (road.read_labels() == 1).all()
    assert (road.read()[1] == 1).all()
    assert (sky.read()[1] == IGNORE).all()
    assert (sky.read()[0] == 5).all()
    assert road.name == "a/4"


def test_class_uniform_draws_take_the_places_of_their_dataset():
    places = (np.array([[2, 5, 7]]), np.array([[1, 3, 3], [0, 0, 1]]))
    order = drawn(400, [4, 4], 0, class_uniform=[None, ClassUniform(0.5, places)])
    assert all(draw.focus is None for draw in order if draw.dataset == 0)
    found = [(draw.sample, draw.focus) for draw in order if draw.focus]
    assert set(found) == {(2, (5, 7)), (1, (3, 3)), (0, (0, 1))}
    assert 0.4 < len(found) / 200 < 0.6
    assert 0.4 < found.count((2, (5, 7))) / len(found) < 0.6, "each class as often, not each place"
