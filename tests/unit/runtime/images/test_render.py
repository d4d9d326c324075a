"""Drawings of labels: colours by table, blending, and layouts."""

import numpy as np
import pytest

from semseg.classes import IGNORE, ClassTable
from semseg.errors import ImageError
from semseg.runtime.images import render

CLASSES = ClassTable.create(["road", "a very long name"], [[200, 100, 50], [1, 2, 3]])


def test_colors_are_the_tables_and_black_elsewhere():
    labels = np.array([[0, 1], [7, IGNORE]], np.uint8)
    drawn = render.colorize(labels, CLASSES)
    assert drawn.dtype == np.uint8
    assert drawn.tolist() == [[[200, 100, 50], [1, 2, 3]], [[0, 0, 0], [0, 0, 0]]]


def test_overlay_blends_by_alpha():
    image = np.full((1, 1, 3), 100, np.uint8)
    labels = np.zeros((1, 1), np.uint8)
    assert render.overlay(image, labels, CLASSES, alpha=0.25).tolist() == [[[125, 100, 88]]]
    assert render.overlay(image, labels, CLASSES, alpha=0).tolist() == image.tolist()
    with pytest.raises(ImageError, match="labels are 1x1, their image is 2x1"):
        render.overlay(np.zeros((2, 1, 3), np.uint8), labels, CLASSES)


@pytest.mark.parametrize("height", [20, 100])
def test_legend_shows_every_color_at_the_height_asked_for(height):
    drawn = render.legend(CLASSES, height)
    assert drawn.shape[0] == height
    for color in CLASSES.colors:
        assert (drawn == color).all(axis=-1).sum() > 200


def test_a_legend_in_an_image_leaves_two_thirds_of_it_and_small_images_alone():
    image = np.full((200, 900, 3), 90, np.uint8)
    render.draw_legend(image, CLASSES)
    swatch = (np.array(CLASSES.colors[0]) * 0.6 + 90 * 0.4).round()
    assert (np.abs(image[:60, :300] - swatch) <= 1).all(axis=-1).sum() > 200
    assert (image[:, 300:] == 90).all()
    assert (image[60:] == 90).all()
    small = np.full((200, 300, 3), 90, np.uint8)
    render.draw_legend(small, CLASSES)
    assert (small == 90).all()


def test_sheet_places_images_in_rows_and_columns():
    red, blue = np.zeros((10, 20, 3), np.uint8), np.zeros((5, 10, 3), np.uint8)
    red[:], blue[:] = (255, 0, 0), (0, 0, 255)
    drawn = render.sheet([[red, blue], [blue]])
    assert drawn.shape == (26, 46, 3)
    assert (drawn[:10, :20] == red[0, 0]).all()
    assert (drawn[:10, 26:] == blue[0, 0]).all()
    assert (drawn[16:, :20] == blue[0, 0]).all()
    assert (drawn[16:, 26:] == 255).all()
    titled = render.sheet([[red, blue]], titles=["left", "right"])
    assert titled.shape == (34, 46, 3)
    assert (titled[24:] == drawn[:10]).all()
    with pytest.raises(ImageError, match="at least one image"):
        render.sheet([])
