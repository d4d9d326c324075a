"""Which connections a node has, asked of the node itself.

The master knows of a subscription before its connection exists, and a subscriber has its end
of a connection before the publisher has the other: a message sent in between is lost.
"""

from typing import Any
from xmlrpc.client import ServerProxy

import rosgraph
import rospy

_INBOUND, _OUTBOUND = "i", "o"


def receives(label_topic: str, image_topic: str) -> bool:
    """Whether a node that publishes ``label_topic`` has a connection from ``image_topic``."""
    return any(
        direction == _INBOUND and topic == image_topic
        for _, _, direction, _, topic, *_ in _connections_of_publishers(label_topic)
    )


def sends_to_me(topic: str) -> bool:
    """Whether a node that publishes the topic has a connection of it to this node."""
    return any(
        direction == _OUTBOUND and connected == topic and peer == rospy.get_name()
        for _, peer, direction, _, connected, *_ in _connections_of_publishers(topic)
    )


def _connections_of_publishers(topic):
    """Lists the connections, as the slave API's ``getBusInfo`` does, of all that publish it."""
    master = rosgraph.Master(rospy.get_name())
    publishers, _, _ = master.getSystemState()
    connections = []
    for node in dict(publishers).get(topic, ()):
        slave: Any = ServerProxy(master.lookupNode(node))
        connections += slave.getBusInfo(rospy.get_name())[2]
    return connections
