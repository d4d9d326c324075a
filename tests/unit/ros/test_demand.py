"""Demand follows changes that come in any order, and is not lost between them."""

import threading
import time

from semseg.ros.demand import Demand


def test_every_change_is_followed_in_the_end():
    wanted, followed = [0], [None]

    def follow():
        seen = wanted[0]
        time.sleep(0.002)  # the master is asked meanwhile
        followed[0] = seen

    demand = Demand(follow)
    demand.start()
    assert followed[0] == 0  # before start returns
    for number in range(1, 100):
        wanted[0] = number
        demand.changed()
        time.sleep(0.0005 * (number % 5))
    deadline = time.monotonic() + 5
    while followed[0] != 99 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert followed[0] == 99
    demand.stop()


def test_a_change_is_followed_by_a_thread_of_its_own_and_soon():
    threads = []
    called = threading.Event()

    def follow():
        threads.append(threading.current_thread())
        if len(threads) > 1:
            called.set()

    demand = Demand(follow)
    demand.start()
    asked = time.monotonic()
    demand.changed()
    assert called.wait(5)
    assert time.monotonic() - asked < 0.9  # not the periodic look
    assert threads[1] is not threading.current_thread()
    demand.stop()


def test_a_failure_is_said_and_the_next_change_is_followed(caplog):
    calls = []

    def follow():
        calls.append(1)
        if len(calls) == 2:
            raise OSError("no master")

    demand = Demand(follow)
    demand.start()
    for expected in (2, 3):
        demand.changed()
        deadline = time.monotonic() + 5
        while len(calls) < expected and time.monotonic() < deadline:
            time.sleep(0.005)
    demand.stop()
    assert len(calls) >= 3
    assert "no master" in caplog.text
