"""Parameters as typed records, and what is said about misspelt names and wrong types."""

import difflib

from semseg.errors import ConfigError

_TYPE_TEXT = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a dictionary",
}


def typed_record(record, values, prefix=""):
    """Fills ``record`` with those of ``values`` that are its fields, defaults elsewhere.

    Args:
      record: a NamedTuple class; its fields are the parameters' names, types and defaults.
      values: parameter name -> value.
      prefix: what precedes the names in errors, such as ``front/``.

    Raises:
      ConfigError: a value has the wrong type.
    """
    types = record.__annotations__
    known = {name: value for name, value in values.items() if name in types}
    typed = {name: _typed(prefix + name, known[name], types[name]) for name in known}
    return record(**typed)


def unknown_parameter(name, known, prefix=""):
    """Returns the warning about an unknown private parameter."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    names = ["~" + prefix + known_name for known_name in near or sorted(known)]
    hint = "did you mean %s?" % names[0] if near else "known: " + ", ".join(names)
    return "unknown parameter ~%s%s is ignored; %s" % (prefix, name, hint)


def _typed(name, value, expected):
    # A launch file turns 5 into an integer and "true" into a boolean, whatever the node expects.
    if expected is float and type(value) is int:
        return float(value)
    if expected is str and type(value) in (int, float):
        return str(value)
    if type(value) is not expected:
        raise ConfigError(
            "parameter ~%s: expected %s, found %.80r" % (name, _TYPE_TEXT[expected], value)
        )
    return value
