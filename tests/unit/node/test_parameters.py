"""Types of private parameters, and what is said about wrong ones."""

from typing import NamedTuple

import pytest

from semseg.errors import ConfigError
from semseg.node.parameters import typed_record, unknown_parameter


class Parameters(NamedTuple):
    model: str = "reduced"
    threads: int = 0
    alpha: float = 0.5
    loop: bool = False
    cameras: list = []


def test_values_replace_defaults_and_strangers_are_left_out():
    record = typed_record(Parameters, {"threads": 3, "cameras": ["front"], "thread": 9})
    assert record == Parameters(threads=3, cameras=["front"])


@pytest.mark.parametrize(
    "given, field, expected",
    [
        ({"alpha": 1}, "alpha", 1.0),  # a launch file writes 1 for 1.0
        ({"model": 12}, "model", "12"),  # and takes a name of digits for a number
    ],
)
def test_what_a_launch_file_retypes_is_put_right(given, field, expected):
    value = getattr(typed_record(Parameters, given), field)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    "given, text",
    [
        ({"threads": "many"}, "parameter ~threads: expected an integer, found 'many'"),
        ({"threads": True}, "parameter ~threads: expected an integer, found True"),
        ({"loop": 1}, "parameter ~loop: expected true or false, found 1"),
        ({"cameras": "front"}, "parameter ~cameras: expected a list, found 'front'"),
        ({"model": {"x": 1}}, "parameter ~model: expected a text, found {'x': 1}"),
    ],
)
def test_a_wrong_type_is_named(given, text):
    with pytest.raises(ConfigError) as caught:
        typed_record(Parameters, given)
    assert str(caught.value) == text


def test_an_unknown_parameter_names_the_nearest_or_all():
    known = Parameters._fields
    assert unknown_parameter("thread", known).endswith("did you mean ~threads?")
    assert unknown_parameter("xyz", known).endswith(
        "known: ~alpha, ~cameras, ~loop, ~model, ~threads"
    )
