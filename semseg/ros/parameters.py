"""Private parameters of a node, read once from the parameter server."""

import logging

import rospy

from semseg.node.parameters import typed_record, unknown_parameter

_log = logging.getLogger(__name__)


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
    values = private_parameters()
    for name in sorted(set(values) - set(record._fields)):
        _log.warning("%s", unknown_parameter(name, record._fields))
    return typed_record(record, values)


def private_parameters():
    """Returns the node's private parameters, nested as their names are: ``{"x": 1, ...}``."""
    values = rospy.get_param(rospy.get_name(), {})
    return values if isinstance(values, dict) else {}
