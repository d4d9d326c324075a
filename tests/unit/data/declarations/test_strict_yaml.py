import pytest

from semseg.data.declarations.strict_yaml import StrictModel, parse_yaml, read_yaml, validate
from semseg.errors import ConfigError


class Inner(StrictModel):
    rate: float


class Outer(StrictModel):
    inner: Inner
    names: tuple[str, ...] = ()


def problem(values):
    with pytest.raises(ConfigError) as error:
        validate(Outer, values, "x.yaml")
    return str(error.value)


def test_lists_become_tuples_and_whole_numbers_floats():
    outer = validate(Outer, {"inner": {"rate": 2}, "names": ["a", "b"]}, "x.yaml")
    assert outer.names == ("a", "b")
    assert outer.inner.rate == 2.0


def test_an_unknown_key_is_named_with_its_place_and_the_nearest_key():
    assert problem({"inner": {"rat": 1}}) == (
        "x.yaml: inner: unknown key 'rat'; available: rate (did you mean 'rate'?)"
    )


def test_a_wrong_type_is_named_with_what_was_found():
    text = problem({"inner": {"rate": "fast"}})
    assert text.startswith("x.yaml: inner.rate: ")
    assert text.endswith("found 'fast'")


def test_a_number_in_quotes_is_no_number():
    assert "inner.rate" in problem({"inner": {"rate": "3"}})


def test_a_missing_key_is_named():
    assert problem({}) == "x.yaml: inner: Field required"


@pytest.mark.parametrize("values", [None, ["a"], "text"])
def test_what_holds_no_keys_is_no_configuration(values):
    found = repr(str(tuple(values) if isinstance(values, list) else values))
    assert problem(values) == f"x.yaml: expected keys with values, found {found}"


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "0.001"])
def test_scientific_notation_is_a_number(text):
    assert parse_yaml(f"rate: {text}", "x") == {"rate": 0.001}


def test_a_key_that_occurs_twice_is_an_error():
    with pytest.raises(ConfigError, match="x: no valid YAML: key used twice: rate"):
        parse_yaml("rate: 1\nrate: 2\n", "x")


def test_a_merged_mapping_is_no_repeated_key():
    text = "base: &base {a: 1}\nchild:\n  <<: *base\n  b: 2\n"
    assert parse_yaml(text, "x")["child"] == {"a": 1, "b": 2}


def test_broken_yaml_and_missing_files_are_configuration_errors(tmp_path):
    with pytest.raises(ConfigError, match="no valid YAML"):
        parse_yaml("a: [1", "x")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "absent.yaml")


def test_yaml_builds_no_objects():
    with pytest.raises(ConfigError):
        parse_yaml("!!python/object/apply:os.getcwd []", "x")
