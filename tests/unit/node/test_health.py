"""What the diagnostics say of a camera."""

import pytest

from semseg.node.health import OK, WARN, Health, judge, resident_mib


@pytest.mark.parametrize(
    "facts, level, text",
    [
        ({}, OK, "receiving /image"),
        ({"is_open": False, "num_publishers": 0}, OK, "nobody listens: /image is not subscribed"),
        ({"is_open": False, "enabled": False}, OK, "disabled by ~enable: /image is not subscribed"),
        ({"num_publishers": 0, "silence_s": None}, WARN, "nobody publishes /image"),
        ({"num_publishers": 0, "hint": "because"}, WARN, "nobody publishes /image; because"),
        ({"silence_s": None}, WARN, "no image yet on /image"),
        ({"silence_s": 7.2}, WARN, "no image on /image for 7 s"),
        ({"num_rejected": 3}, WARN, "3 images on /image could not be segmented"),
        ({"info_complaint": "camera_info is odd"}, WARN, "camera_info is odd"),
        (
            {"info_complaint": "camera_info is odd", "silence_s": None},
            WARN,
            "no image yet on /image",
        ),
        ({"num_identical": 9}, OK, "receiving /image"),
        (
            {"num_identical": 10},
            WARN,
            "the last 11 images on /image are identical: is the camera frozen?",
        ),
        ({"stamp_age_s": 0.2}, OK, "receiving /image"),
        (
            {"stamp_age_s": 3600.0},
            WARN,
            "stamps on /image are 3600.0 s behind this clock: of another machine, or a bag "
            "without --clock?",
        ),
        (
            {"stamp_age_s": -2.5},
            WARN,
            "stamps on /image are 2.5 s ahead of this clock: of another machine, or a bag "
            "without --clock?",
        ),
    ],
)
def test_the_gravest_fault_is_named(facts, level, text):
    assert judge(Health("/image", **facts)) == (level, text)


def test_memory_is_that_of_the_process():
    before = resident_mib()
    block = bytearray(b"x" * 2**26)
    assert 50 < resident_mib() - before < 100
    assert len(block) == 2**26
