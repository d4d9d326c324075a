"""The mailbox: newest item, fair turns, no waiting after close."""

import threading
import time

from semseg.node.mailbox import Mailbox


def test_newest_item_replaces_the_one_that_waits():
    mailbox = Mailbox()
    assert mailbox.put("front", 1) is None
    assert mailbox.put("front", 2) == 1
    assert mailbox.take(0) == ("front", 2)
    assert mailbox.take(0) is None


def test_keys_take_turns_however_fast_one_sends():
    mailbox, served = Mailbox(), []
    mailbox.put("slow", 0)
    for number in range(6):
        mailbox.put("fast", number)
        mailbox.put("fast", number + 100)
        key, item = mailbox.take(0)
        served.append((key, item))
        mailbox.put("slow", number)
    assert [key for key, _ in served] == ["slow", "fast"] * 3
    assert [item for key, item in served if key == "fast"] == [101, 103, 105]


def test_take_waits_for_an_item():
    mailbox, taken = Mailbox(), []
    worker = threading.Thread(target=lambda: taken.append(mailbox.take(10)))
    worker.start()
    mailbox.put("front", "frame")
    worker.join(5)
    assert taken == [("front", "frame")]


def test_take_gives_up_in_time():
    start = time.monotonic()
    assert Mailbox().take(0.05) is None
    assert time.monotonic() - start >= 0.04


def test_close_wakes_the_worker_and_drops_what_waits():
    mailbox, taken = Mailbox(), []
    worker = threading.Thread(target=lambda: taken.append(mailbox.take()))
    worker.start()
    mailbox.close()
    worker.join(5)
    assert taken == [None]
    assert mailbox.closed
    assert mailbox.put("front", 1) is None
    assert mailbox.take() is None


def test_turns_follow_the_weights():
    mailbox, served = Mailbox({"front": 2.0}), []
    for number in range(80):
        for key in ("front", "left", "right"):
            mailbox.put(key, number)
        served.append(mailbox.take(0)[0])
    assert [served.count(key) for key in ("front", "left", "right")] == [40, 20, 20]
    assert served[:4].count("front") == 2


def test_a_key_that_was_silent_has_saved_nothing_up():
    mailbox, served = Mailbox(), []
    for number in range(100):
        mailbox.put("busy", number)
        mailbox.take(0)
    for number in range(8):
        for key in ("busy", "silent"):
            mailbox.put(key, number)
        served.append(mailbox.take(0)[0])
    assert served.count("silent") == 4
