"""Stages that overlap: order, bounds, errors and ends."""

import threading
import time

import pytest

from semseg.evaluation.frames.read_ahead import InBackground, read_ahead


def test_items_come_in_their_order():
    assert list(read_ahead(range(50))) == list(range(50))
    assert list(read_ahead([])) == []


def test_it_reads_ahead_but_no_further_than_that():
    read = []

    def items():
        for index in range(20):
            read.append(index)
            yield index

    ahead = read_ahead(items(), count=3)
    assert next(ahead) == 0
    deadline = time.monotonic() + 5
    while len(read) < 4 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    assert read == [0, 1, 2, 3]
    ahead.close()


def test_what_reading_raises_comes_in_its_turn():
    def items():
        yield 1
        raise ValueError("damaged")

    ahead = read_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(ahead)


def test_reading_happens_in_another_thread():
    def items():
        yield threading.current_thread().name

    assert next(read_ahead(items())).startswith("read ahead")


def test_calls_keep_their_order_and_are_waited_for():
    done = []
    with InBackground(count=2) as background:
        for index in range(20):
            background.submit(lambda index: (time.sleep(0.001), done.append(index)), index)
    assert done == list(range(20))


def test_submitting_blocks_when_too_many_wait():
    gate, done = threading.Event(), []
    with InBackground(count=2) as background:
        background.submit(gate.wait)
        background.submit(done.append, 1)
        threading.Timer(0.05, gate.set).start()
        background.submit(done.append, 2)  # Waits for the first.
        assert gate.is_set()


@pytest.mark.parametrize("later", [0, 5])
def test_what_a_call_raises_is_raised(later):
    def fail():
        raise ValueError("full disk")

    with pytest.raises(ValueError, match="full disk"), InBackground(count=2) as background:
        background.submit(fail)
        for _ in range(later):
            background.submit(int)


def test_an_error_of_the_caller_comes_through():
    with pytest.raises(KeyError, match="mine"), InBackground() as background:
        background.submit(int)
        raise KeyError("mine")
