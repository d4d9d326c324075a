import threading

import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data.batches.augmentation import AugmentationConfig, draw_geometry
from semseg.data.batches.augmentation.class_mix import Paste, paste, paste_cells
from semseg.data.batches.batches import SampleSource, batches
from semseg.data.soft_labels import (
    CELL,
    ONE,
    SoftLabelCache,
    cells,
    decoded,
    encoded,
    labels_of,
    mapped,
)
from semseg.errors import DatasetError

NUM_CLASSES = 4


def _rng(seed=0):
    return np.random.default_rng(seed)


def _one_hot(labels):
    """Soft labels of (H, W) labels, 0..3, as a teacher that is sure would give them."""
    shares = (labels[..., np.newaxis] == np.arange(NUM_CLASSES)).astype(np.float32)
    return encoded(cells(shares))


def _blocks(seed, height, width):
    """Labels of blocks of 10x14 pixels, which cells of 2x2 do not divide."""
    blocks = _rng(seed).integers(0, NUM_CLASSES, (height // 10 + 2, width // 14 + 2), np.uint8)
    pixels = blocks.repeat(10, axis=0).repeat(14, axis=1)
    return pixels[3 : height + 3, 5 : width + 5]


@pytest.mark.parametrize(
    "strength",
    [
        {"flip": 1.0},
        {"crop": (71, 46), "zoom": (0.7, 2.5)},
        {"crop": (32, 48), "flip": 1.0, "zoom": (0.5, 2.0), "rotation_deg": 40, "shear_deg": 15},
    ],
)
@pytest.mark.parametrize("size", [(60, 84), (59, 83)])
def test_soft_labels_lie_where_the_labels_do(strength, size):
    """Exactly, but for cells of the source that show two classes, which say both."""
    compared = outside = 0
    for seed in range(20):
        labels = _blocks(seed, *size)
        soft = _one_hot(labels)
        geometry = draw_geometry(_rng(seed), size, AugmentationConfig(**strength))
        found = geometry.warp_soft_labels(soft, size)
        truth = geometry.warp_labels(labels)[::CELL, ::CELL]
        assert found.shape == (*truth.shape, NUM_CLASSES) and found.dtype == np.uint8
        said, pure = labels_of(found), found.max(axis=-1) == ONE
        turned = "rotation_deg" in strength  # OpenCV rounds points of a turned map.
        both = pure & (truth != IGNORE)
        wrong = np.count_nonzero(said[both] != truth[both])
        assert wrong <= (0.01 * both.sum() if turned else 0)
        void = np.count_nonzero((said == IGNORE) != (truth == IGNORE))
        assert void <= (0.01 * truth.size if turned else 0)
        mixed = (~pure & (truth != IGNORE)).mean()
        assert mixed < 0.4, mixed
        compared, outside = compared + both.sum(), outside + (said == IGNORE).sum()
    assert compared > 5000
    assert (outside > 0) == ("zoom" in strength)


def test_cells_are_means_and_odd_ends_stand_alone():
    probabilities = _rng().random((5, 7, 2), np.float32)
    found = cells(probabilities)
    assert found.shape == (3, 4, 2)
    np.testing.assert_allclose(found[1, 2], probabilities[2:4, 4:6].mean(axis=(0, 1)), rtol=1e-6)
    np.testing.assert_allclose(found[2, 3], probabilities[4, 6], rtol=1e-6)


def test_small_probabilities_have_fine_steps():
    probabilities = np.array([0, 1e-5, 1e-4, 0.01, 0.3, 0.999, 1], np.float32)
    found = decoded(encoded(probabilities))
    np.testing.assert_allclose(np.sqrt(found), np.sqrt(probabilities), atol=0.501 / ONE)
    assert found[0] == 0 and found[-1] == 1
    assert np.abs(found - probabilities).max() < 0.004


def test_classes_are_added_up_and_what_is_none_of_them_is_void():
    table = np.full(256, IGNORE, np.uint8)
    table[[0, 1, 2]] = 1, 0, 1
    probabilities = np.array([[[0.25, 0.5, 0.125, 0.125], [0.1, 0.1, 0.1, 0.7]]], np.float32)
    found = mapped(probabilities, table, 2)
    expected = [[0.5 / 0.875, 0.375 / 0.875], [0, 0]]
    np.testing.assert_allclose(decoded(found)[0], expected, atol=0.004)
    assert labels_of(found).tolist() == [[0, IGNORE]]


@pytest.fixture
def asked():
    """Images that a teacher was asked for, which says that all is class 1."""

    class Asked(list):
        def __call__(self, image):
            self.append(image)
            return _one_hot(np.ones(image.shape[:2], np.uint8))

    return Asked()


@pytest.fixture
def image():
    return _rng().integers(0, 256, (9, 12, 3), np.uint8)


def test_an_image_is_asked_for_once_whatever_its_name(asked, image, tmp_path):
    first = SoftLabelCache(tmp_path, NUM_CLASSES).get(image, asked)
    again = SoftLabelCache(tmp_path, NUM_CLASSES).get(image.copy(), asked)
    np.testing.assert_array_equal(first, again)
    assert first.shape == (5, 6, NUM_CLASSES) and len(asked) == 1
    for other in (image[:, ::-1], image[:-1], image.reshape(12, 9, 3)):
        SoftLabelCache(tmp_path, NUM_CLASSES).get(other, asked)
    assert len(asked) == 4
    assert len([*tmp_path.glob("*/*.npz")]) == 4 and not [*tmp_path.glob("*/*.partial")]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
        lambda content: bytes(len(content)),
    ],
)
def test_a_damaged_entry_is_made_again(damage, asked, image, tmp_path, caplog):
    cache = SoftLabelCache(tmp_path, NUM_CLASSES)
    first = cache.get(image, asked)
    (path,) = tmp_path.glob("*/*.npz")
    path.write_bytes(damage(path.read_bytes()))
    np.testing.assert_array_equal(cache.get(image, asked), first)
    assert len(asked) == 2 and "the soft labels are made again" in caplog.text
    cache.get(image, asked)
    assert len(asked) == 2


def test_threads_ask_for_an_image_once(asked, image, tmp_path):
    cache = SoftLabelCache(tmp_path, NUM_CLASSES)
    threads = [threading.Thread(target=cache.get, args=(image, asked)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1


def test_a_folder_that_cannot_be_written_is_named(asked, image, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        DatasetError, match="file/.*soft labels cannot be written: .*XDG_CACHE_HOME"
    ):
        SoftLabelCache(tmp_path / "file", NUM_CLASSES).get(image, asked)


def test_soft_labels_are_pasted_with_their_pixels():
    labels = np.stack([_blocks(seed, 12, 14) for seed in (1, 2)])
    mask = labels[1] < 2
    pastes = [Paste(0, 1, mask)]
    soft = ONE * np.eye(NUM_CLASSES, dtype=np.uint8)[labels[:, ::CELL, ::CELL]]
    pasted = paste_cells(soft, pastes)
    np.testing.assert_array_equal(
        np.stack([*map(labels_of, pasted)]), paste(labels, pastes)[:, ::CELL, ::CELL]
    )
    assert (pasted != soft).any()


class _Flat:
    """A sample of one colour and of one label; ``IGNORE`` for none."""

    def __init__(self, number, label):
        self.name, self.number, self.label = str(number), number, label

    def read(self):
        return np.full((8, 8, 3), self.number, np.uint8), np.full((8, 8), self.label, np.uint8)

    def read_second(self):
        return None

    def read_right_labels(self):
        return None


def test_batches_have_soft_labels_and_mix_images_without_labels_by_them():
    def say(image):
        """Class 0 on the left, the image's number on the right."""
        shares = np.zeros((4, 4, NUM_CLASSES), np.uint8)
        shares[:, :2, 0], shares[:, 2:, image[0, 0, 0]] = ONE, ONE
        return shares

    source = SampleSource([_Flat(1, IGNORE), _Flat(2, IGNORE)], cache=True, soft_labels=say)
    config = AugmentationConfig(flip=0, class_mix=1)
    seen = set()
    stream = batches(source, config, 2, seed=0)
    for _ in range(8):
        batch = next(stream)
        assert (batch.labels == IGNORE).all()
        for image, soft in zip(batch.images, batch.soft_labels, strict=True):
            left, right = labels_of(soft)[0, [0, 3]].tolist()
            assert left == 0 and right == image[0, 7, 0]
            seen.add((int(image[0, 0, 0]), right))
    assert {(1, 2), (2, 1)} & seen, "half of an image's classes was pasted over another one"


def test_batches_without_a_teacher_have_none():
    source = SampleSource([_Flat(1, 1)])
    assert next(batches(source, AugmentationConfig(), 2, seed=0)).soft_labels is None
