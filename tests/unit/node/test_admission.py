"""Rate limit and staleness, with regular, irregular and jumping clocks."""

import pytest

from semseg.node.stream import RateLimit, is_stale, stamp_age_s


def passed(max_rate_hz, arrivals):
    limit = RateLimit(max_rate_hz)
    return sum(limit.passes(arrival) for arrival in arrivals)


@pytest.mark.parametrize("max_rate_hz, expected", [(0, 300), (1, 10), (10, 100), (20, 200)])
def test_a_regular_camera_is_thinned_to_the_rate_asked_for(max_rate_hz, expected):
    assert passed(max_rate_hz, [100 + number / 30 for number in range(300)]) == pytest.approx(
        expected, abs=2
    )


def test_a_camera_that_is_no_faster_than_the_limit_loses_nothing():
    jitter = [0.01, -0.01, 0.008, -0.008, 0.0]
    arrivals = [number / 10 + jitter[number % 5] for number in range(100)]
    assert passed(10, arrivals) == 100


def test_a_pause_earns_no_burst():
    limit = RateLimit(5)
    assert limit.passes(0.0)
    assert [limit.passes(60 + number / 100) for number in range(15)] == [True] + [False] * 14


@pytest.mark.parametrize(
    "max_age_s, stamp_s, clock_s, stale",
    [
        (0.0, 1.0, 99.0, False),  # no limit
        (0.5, 10.0, 10.4, False),
        (0.5, 10.0, 10.6, True),
        (0.5, 10.0, 3.0, False),  # a looped bag set the clock back
        (0.5, 0.0, 99.0, False),  # a camera without stamps
        (0.5, 10.0, 0.0, False),  # no /clock yet
    ],
)
def test_staleness(max_age_s, stamp_s, clock_s, stale):
    assert is_stale(max_age_s, stamp_s, clock_s) == stale


def test_age_of_a_stamp():
    assert stamp_age_s(7.0, 9.5) == 2.5
    assert stamp_age_s(0.0, 9.5) is None
