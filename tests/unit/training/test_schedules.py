import pytest

from semseg.training.schedules import build_schedule


def _rates(configure, section, steps):
    config = configure(schedule=section)
    schedule = build_schedule(config.schedule, 0.1, 100)
    return [float(schedule(step)) for step in steps]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"name": "constant"}, [0.1, 0.1, 0.1, 0.1]),
        ({"name": "poly", "power": 0.9}, [0.1, 0.1 * 0.75**0.9, 0.1 * 0.5**0.9, 0.0]),
        (
            {"name": "cosine", "final_fraction": 0.2},
            [0.1, 0.1 * (0.2 + 0.8 * 0.853553), 0.1 * 0.6, 0.02],
        ),
        (
            {"name": "exponential", "decay_start": 50, "final_fraction": 0.01},
            [0.1, 0.1, 0.1, 0.001],
        ),
        (
            {"name": "exponential", "decay_start": 0, "final_fraction": 0.01},
            [0.1, 0.1 * 0.01**0.25, 0.01, 0.001],
        ),
        ({"name": "step", "milestones": [25, 60], "factor": 0.5}, [0.1, 0.05, 0.05, 0.025]),
    ],
)
def test_rates_at_the_quarters(configure, section, expected):
    assert _rates(configure, section, (0, 25, 50, 100)) == pytest.approx(expected, rel=1e-5)


def test_warm_up_rises_to_the_schedule(configure):
    rates = _rates(configure, {"name": "constant", "warmup_steps": 4}, (0, 1, 3, 4))
    assert rates == pytest.approx([0.025, 0.05, 0.1, 0.1])


def test_the_batches_of_a_step_have_one_rate(configure):
    config = configure(schedule={"name": "step", "milestones": [1], "factor": 0.5})
    schedule = build_schedule(config.schedule, 0.1, 100, accumulate=3)
    assert [float(schedule(batch)) for batch in (0, 2, 3, 5)] == pytest.approx(
        [0.1, 0.1, 0.05, 0.05]
    )
