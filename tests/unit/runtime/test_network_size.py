"""The size of a graph that leaves it to the image: never one that takes all memory."""

import pytest

from semseg.runtime.network_size import open_size


@pytest.mark.parametrize(
    "image, expected",
    [
        ((480, 640), (384, 512)),
        ((1080, 1920), (288, 512)),
        ((512, 512), (512, 512)),
        ((1, 1), (512, 512)),
        ((1, 4000), (32, 512)),
        ((4000, 1), (2048, 512)),
        ((2**24, 1), (2048, 512)),
    ],
)
def test_the_height_follows_the_aspect_within_bounds(image, expected):
    assert open_size(image) == expected
