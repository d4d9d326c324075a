"""Calls follow requests that come in any order, come by themselves, and survive failures."""

import threading
import time

from semseg.node.periodic import Periodic

NEVER_S = 1000


def wait_until(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_the_last_request_is_followed_by_a_whole_call():
    wanted, followed = [0], [None]

    def follow():
        seen = wanted[0]
        time.sleep(0.002)  # the master is asked meanwhile
        followed[0] = seen

    periodic = Periodic("test", follow, NEVER_S)
    periodic.start()
    for number in range(1, 100):
        wanted[0] = number
        periodic.soon()
        time.sleep(0.0005 * (number % 5))
    wait_until(lambda: followed[0] == 99)
    periodic.stop()


def test_it_calls_by_itself_from_one_other_thread_until_it_is_stopped():
    threads = []
    periodic = Periodic("test", lambda: threads.append(threading.current_thread()), 0.01)
    periodic.start()
    wait_until(lambda: len(threads) >= 3)
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()
    periodic.stop()
    threads[0].join(5)
    assert not threads[0].is_alive()


def test_a_failure_is_said_and_the_next_request_is_followed(caplog):
    calls = []

    def fail_once():
        calls.append(1)
        if len(calls) == 1:
            raise OSError("no master")

    periodic = Periodic("cameras", fail_once, NEVER_S)
    periodic.start()
    for expected in (1, 2):
        periodic.soon()
        wait_until(lambda: len(calls) == expected)  # noqa: B023 - called at once
    periodic.stop()
    assert "cameras failed; tried again" in caplog.text
    assert "no master" in caplog.text


def test_what_fails_because_the_node_ends_is_no_failure(caplog):
    def publish_too_late():
        periodic.stop()
        raise OSError("publish() to a closed topic")

    periodic = Periodic("diagnostics", publish_too_late, 0.001)
    periodic.start()
    periodic._thread.join(5)
    assert not periodic._thread.is_alive()
    assert not caplog.text
