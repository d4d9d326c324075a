"""Counters and percentiles of one camera."""

import threading

import pytest

from semseg.node.statistics import AGE, RECEIVED, REPLACED, SEGMENTED, CameraStatistics


def test_no_count_is_lost_between_threads():
    statistics = CameraStatistics()
    threads = [
        threading.Thread(target=lambda: [statistics.count(RECEIVED) for _ in range(2000)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statistics.counts[RECEIVED] == 8000
    assert statistics.counts[REPLACED] == statistics.counts[SEGMENTED] == 0


def test_percentiles_are_of_the_last_durations():
    statistics = CameraStatistics()
    for value in [1e6] * 50 + list(range(300)):
        statistics.add_durations({AGE: value, "decode": 2.0})
    assert statistics.percentiles_ms(50) == {AGE: pytest.approx(149.5), "decode": 2.0}
