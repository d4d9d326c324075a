"""Which of two models labels, by measured durations: falling back, hysteresis, announcements."""

import pytest

from semseg.node.lineup import MARGIN, TRIAL_PERIOD_S, TRIALS, WINDOW, Lineup, RateKeeper
from semseg.node.models import Model
from semseg.runtime.engines.choice import Refusal


class Clock:
    now_s = 1000.0

    def __call__(self):
        return self.now_s


class Segmenter:
    digest = engine = precision = "x"
    refusals = ()
    head = None
    closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def clock():
    return Clock()


def fall_back(keeper):
    for _ in range(WINDOW):
        keeper.add_frame(0.2)


def test_single_slow_frames_change_nothing(clock):
    keeper = RateKeeper(10, clock)
    for number in range(100):
        keeper.add_frame(5.0 if number % 3 == 0 else 0.09)
    assert keeper.uses_full


def test_the_full_model_is_left_when_its_median_takes_too_long(clock):
    keeper = RateKeeper(10, clock)
    for _ in range(WINDOW - 1):
        keeper.add_frame(0.11)
    assert keeper.uses_full
    keeper.add_frame(0.11)
    assert not keeper.uses_full
    assert keeper.measured_s == pytest.approx(0.11)


def test_it_returns_after_trials_in_a_row_with_a_margin(clock):
    keeper = RateKeeper(10, clock)
    fall_back(keeper)
    just_too_slow, fast = 0.1 * MARGIN + 0.001, 0.1 * MARGIN - 0.001
    for _ in range(10):
        keeper.add_trial(just_too_slow)
    for duration_s in [fast] * (TRIALS - 1) + [just_too_slow] + [fast] * (TRIALS - 1):
        keeper.add_trial(duration_s)
    assert not keeper.uses_full
    keeper.add_trial(fast)
    assert keeper.uses_full
    fall_back(keeper)
    assert not keeper.uses_full


def test_trials_are_due_once_a_period_and_only_while_it_is_out_of_use(clock):
    keeper = RateKeeper(10, clock)
    clock.now_s += 100
    assert not keeper.trial_due()
    fall_back(keeper)
    assert not keeper.trial_due()
    clock.now_s += TRIAL_PERIOD_S
    assert keeper.trial_due()
    assert not keeper.trial_due()
    clock.now_s += TRIAL_PERIOD_S
    assert keeper.trial_due()


def test_without_a_target_nothing_is_too_slow(clock):
    keeper = RateKeeper(0, clock)
    for _ in range(2 * WINDOW):
        keeper.add_frame(1e6)
    assert keeper.uses_full


def test_every_camera_must_get_the_rate_and_changes_are_announced():
    announced = []
    full, reduced = Model("full.pb", Segmenter()), Model("reduced.pb", Segmenter())
    lineup = Lineup(full, reduced, 10, announced.append)
    for _ in range(WINDOW):
        lineup.observe(0.06, 1, lambda model: 0.0)
    assert lineup.current is full
    assert not lineup.complaint
    for _ in range(WINDOW):
        lineup.observe(0.06, 2, lambda model: 0.0)
    assert lineup.current is reduced
    assert announced == [reduced]
    assert lineup.complaint == (
        "full.pb takes 120 ms per frame of every camera, too long for 10 Hz: reduced.pb labels"
    )
    assert lineup.facts["model"] == "reduced.pb"


def test_the_facts_tell_the_engines_that_failed_and_the_head():
    segmenter = Segmenter()
    assert Lineup(Model("full.pb", segmenter)).facts == {
        "digest": "x", "engine": "x", "precision": "x", "model": "full.pb"
    }  # fmt: skip
    segmenter.refusals = (Refusal("openvino", "bad op"), Refusal("litert", "no file"))
    segmenter.head = "objects"
    facts = Lineup(Model("full.pb", segmenter)).facts
    assert facts["engine_refusals"] == "not openvino: bad op; not litert: no file"
    assert facts["head"] == "objects"


def test_another_full_model_begins_anew_and_the_former_is_freed():
    announced = []
    full, reduced = Model("full.pb", Segmenter()), Model("reduced.pb", Segmenter())
    lineup = Lineup(full, reduced, 10, announced.append)
    for _ in range(WINDOW):
        lineup.observe(1.0, 1, lambda model: 0.0)
    faster = Model("faster.pb", Segmenter())
    lineup.swap(faster)
    assert lineup.current is faster
    assert announced == [reduced, faster]
    assert full.segmenter.closed
    assert not reduced.segmenter.closed
