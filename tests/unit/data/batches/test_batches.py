import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.classes import IGNORE
from semseg.data import AugmentationConfig, load_dataset, samples
from semseg.data.batches.batches import SampleSource, batches
from semseg.errors import ConfigError, DatasetError, ImageError


class NumberedSample:
    """A sample whose pixels are all its number; negative numbers cannot be read."""

    def __init__(self, number, size=(6, 8)):
        self.number, self.size, self.reads = number, size, 0
        self.name = f"train/{number}"

    def read(self):
        self.reads += 1
        if self.number < 0:
            raise ImageError(f"{self.name}: damaged")
        return (
            np.full((*self.size, 3), self.number, np.uint8),
            np.full(self.size, self.number, np.uint8),
        )

    def read_second(self):
        return None

    def read_right_labels(self):
        return None


CONFIG = AugmentationConfig(crop=(4, 4), zoom=(0.5, 2), gamma=0.3)


def source_of(*numbers, **options):
    return SampleSource([NumberedSample(number) for number in numbers], **options)


def first(count, source, config=CONFIG, batch_size=3, **options):
    return list(itertools.islice(batches(source, config, batch_size, **options), count))


def drawn(found):
    return [int(number) for batch in found for number in batch.labels[:, 2, 2]]


@pytest.mark.parametrize(
    ("threads", "start", "cache"), [(1, 4, False), (2, 0, True), (4, 7, False)]
)
def test_a_batch_depends_on_seed_and_number_alone(threads, start, cache):
    seed = 2**31 - threads
    whole = first(9, source_of(*range(7)), seed=seed, threads=1)
    part = first(
        9 - start, source_of(*range(7), cache=cache), seed=seed, start=start, threads=threads
    )
    for batch, same in zip(whole[start:], part, strict=True):
        assert np.array_equal(batch.images, same.images)
        assert np.array_equal(batch.labels, same.labels)
        assert batch.names == same.names


@pytest.mark.parametrize("start", [0, 3])
def test_hosts_share_each_batch(start):
    whole = first(5, source_of(*range(7)), batch_size=4, seed=3, start=start)
    shares = [
        first(5, source_of(*range(7)), batch_size=4, seed=3, start=start, share=(index, 2))
        for index in range(2)
    ]
    for batch, *parts in zip(whole, *shares, strict=True):
        for index, part in enumerate(parts):
            assert np.array_equal(part.images, batch.images[index::2])
            assert part.names == batch.names[index::2]


def test_batches_are_stacked():
    batch = first(1, source_of(*range(5)), seed=0)[0]
    assert (batch.images.shape, batch.images.dtype) == ((3, 4, 4, 3), np.uint8)
    assert (batch.labels.shape, batch.labels.dtype) == ((3, 4, 4), np.uint8)
    assert batch.dataset.tolist() == [0, 0, 0]
    assert batch.second is None


def test_names_are_those_of_the_images():
    plain = AugmentationConfig(flip=0)
    batch = first(1, source_of(*range(5)), plain, seed=0)[0]
    assert batch.names == tuple(f"train/{number}" for number in batch.images[:, 0, 0, 0])


def test_each_pass_shows_every_sample_once_in_a_new_order():
    plain = AugmentationConfig(flip=0)
    numbers = drawn(first(6, source_of(*range(6)), plain, seed=1))
    passes = [numbers[:6], numbers[6:12], numbers[12:18]]
    assert [sorted(order) for order in passes] == [list(range(6))] * 3
    assert len({tuple(order) for order in passes}) == 3


@pytest.mark.parametrize("batch_size", [1, 7])
def test_a_batch_may_hold_one_sample_or_more_than_there_are(batch_size):
    found = first(2, source_of(*range(3)), AugmentationConfig(flip=0), batch_size, seed=0)
    assert found[0].images.shape == (batch_size, 6, 8, 3)
    assert sorted(drawn(found)[: 3 * (2 * batch_size // 3)]) == sorted(
        list(range(3)) * (2 * batch_size // 3)
    )


def test_seeds_differ():
    assert drawn(first(5, source_of(*range(9)), seed=1)) != drawn(
        first(5, source_of(*range(9)), seed=2)
    )


def test_an_unreadable_sample_is_named_and_replaced_by_the_next(caplog):
    source = source_of(0, -1, 2)
    numbers = drawn(first(4, source, AugmentationConfig(flip=0), seed=0, threads=2))
    assert sorted(numbers[:3]) == [0, 2, 2]
    assert source.skipped == {"train/-1": "train/-1: damaged"}
    assert [record.getMessage() for record in caplog.records] == [
        "sample train/-1 is skipped: train/-1: damaged"
    ]


def test_samples_that_can_all_not_be_read_are_an_error():
    with pytest.raises(DatasetError, match="none of the 2 samples can be read"):
        first(1, source_of(-1, -2), seed=0)


def test_the_cache_reads_each_sample_once():
    source = source_of(*range(4), cache=True)
    first(8, source, seed=0, threads=1)
    assert [sample.reads for sample in source._samples] == [1, 1, 1, 1]


def test_augmentation_leaves_the_cache_as_it_is():
    source = source_of(50, cache=True)
    first(5, source, AugmentationConfig(brightness=0.5, zoom=(0.5, 0.5)), seed=0)
    assert (source[0].image == 50).all()
    assert (source[0].labels == 50).all()


def test_images_of_different_sizes_need_a_crop():
    mixed = SampleSource([NumberedSample(0), NumberedSample(1, size=(5, 5))])
    with pytest.raises(ConfigError, match="5x5 and 6x8 fit in no batch: give .* a crop"):
        first(1, mixed, AugmentationConfig(), batch_size=2, seed=0)
    assert first(1, mixed, AugmentationConfig(crop=(4, 4)), seed=0)[0].images.shape == (3, 4, 4, 3)


def test_files_become_batches(write_declaration, tree):
    found = samples(load_dataset(write_declaration()), tree, "train")
    batch = first(1, SampleSource(found), AugmentationConfig(flip=0), seed=0)[0]
    assert sorted(batch.images[:, 0, 0, 0].tolist()) == [0, 10, 20]
    assert batch.labels[0, :, 0].tolist() == [IGNORE, 1, 0, 0]


class TestClassMix:
    CONFIG = AugmentationConfig(flip=0, class_mix=1.0)

    def test_batches_are_mixed_alike_in_images_and_labels(self):
        source = source_of(*range(1, 7))
        plain = first(2, source, AugmentationConfig(flip=0), seed=3)
        mixed = first(2, source, self.CONFIG, seed=3)
        for batch, same in zip(mixed, plain, strict=True):
            assert (batch.labels != same.labels).any()
            assert np.array_equal(batch.images[..., 0], batch.labels)
            assert batch.names == same.names

    def test_right_images_cannot_be_mixed(self):
        class StereoSample(NumberedSample):
            def read_second(self):
                return self.read()[0]

        stereo = SampleSource([StereoSample(number) for number in range(4)])
        with pytest.raises(ConfigError, match="class_mix cannot be used with right images"):
            first(1, stereo, self.CONFIG, seed=0)


@given(st.integers(0, 2**31 - 1), st.integers(0, 20), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_the_same_seed_and_step_give_the_same_batch(seed, step, threads):
    config = AugmentationConfig(
        crop=(4, 4), zoom=(0.5, 2), rotation_deg=20, noise=0.2, jpeg=0.5, shadow=0.5, class_mix=0.5
    )
    one, two = (
        first(2, source_of(*range(7)), config, seed=seed, start=step, threads=count)
        for count in (1, threads)
    )
    for batch, same in zip(one, two, strict=True):
        assert np.array_equal(batch.images, same.images)
        assert np.array_equal(batch.labels, same.labels)
        assert batch.names == same.names
