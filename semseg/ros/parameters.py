"""Private parameters of a node: read once, typed, and checked for misspelt names."""

import difflib
import logging

import rospy

from semseg.errors import ConfigError

_log = logging.getLogger(__name__)

_TYPE_TEXT = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a dictionary",
}


def read_parameters(record):
    """Reads the node's private parameters (``~x``) from the parameter server.

    Unknown private parameters are warned about, with the nearest name that would have been known.

    Args:
      record: a NamedTuple class; its fields are the parameters' names, types and defaults.

    Returns:
      An instance of ``record``.

    Raises:
      ConfigError: a value has the wrong type.
    """
    values = rospy.get_param(rospy.get_name(), {})
    values = values if isinstance(values, dict) else {}
    for name in sorted(set(values) - set(record._fields)):
        _log.warning("%s", unknown_parameter(name, record._fields))
    return typed_record(record, values)


def typed_record(record, values):
    """Fills ``record`` with those of ``values`` that are its fields, defaults elsewhere.

    Raises:
      ConfigError: a value has the wrong type.
    """
    types = record.__annotations__
    known = {name: value for name, value in values.items() if name in types}
    return record(**{name: _typed(name, value, types[name]) for name, value in known.items()})


def unknown_parameter(name, known):
    """Returns the warning about an unknown private parameter."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = "did you mean ~%s?" % near[0] if near else "known: ~%s" % ", ~".join(sorted(known))
    return "unknown parameter ~%s is ignored; %s" % (name, hint)


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
