"""Notices that the ROS master was restarted: the new one does not know the node.

Nobody could find such a node any more, and nothing would say so. It ends instead, and
``respawn`` in its launch file starts it anew.
"""

import logging
from typing import Callable

import rosgraph
import rospy

from semseg.ros.parameters import private_parameters

_log = logging.getLogger(__name__)

PERIOD_S = 2.0


class MasterWatch:
    """Asks the master for this node; an unreachable master is waited for.

    Args:
      forgotten: called when a master answers that it does not know the node.
    """

    def __init__(self, forgotten: Callable[[], None]):
        self._forgotten = forgotten
        self._master = rosgraph.Master(rospy.get_name())
        self._parameters = private_parameters()

    def look(self) -> None:
        """Asks once; to be called every ``PERIOD_S``."""
        try:
            if not self._is_known():
                self._leave()
        except OSError:
            pass  # No master for now: connections that exist go on without it.

    def _is_known(self):
        try:
            self._master.lookupNode(rospy.get_name())
        except rosgraph.MasterError:
            return False
        return True

    def _leave(self):
        # roslaunch set them on the former master and does not do it again at a respawn.
        if self._parameters and not self._master.hasParam(rospy.get_name()):
            self._master.setParam(rospy.get_name(), self._parameters)
        _log.error("the ROS master was restarted and does not know this node; the node ends")
        self._forgotten()
