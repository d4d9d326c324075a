"""How a node of this package starts, logs and ends.

The library's log records go to rosout.
"""

import logging
import os
import sys
import threading

from semseg.command_line import COULD_NOT_RUN, DONE
from semseg.errors import SemsegError, without_workspace

try:
    import rospy
except ImportError as error:
    # Nodes alone import this module, and without rospy there is nobody else to tell.
    sys.stderr.write("error: %s\n" % without_workspace(error))
    sys.exit(COULD_NOT_RUN)

_PUBLISH = (
    (logging.CRITICAL, rospy.logfatal),
    (logging.ERROR, rospy.logerr),
    (logging.WARNING, rospy.logwarn),
    (logging.INFO, rospy.loginfo),
)


class _RosoutHandler(logging.Handler):
    def emit(self, record):
        text = self.format(record)
        for level, publish in _PUBLISH:
            if record.levelno >= level:
                publish("%s", text)
                return
        rospy.logdebug("%s", text)


def forward_logging():
    """Sends what ``semseg`` logs to rosout (and so to the screen); call it after ``init_node``."""
    logger = logging.getLogger("semseg")
    logger.addHandler(_RosoutHandler())
    logger.setLevel(logging.INFO)
    logger.propagate = False


END_S = 1.5
GENERATED = ("semseg.msg", "semseg.srv")


def run_node(name, main):
    """Runs a node and exits with its status.

    A ``SemsegError``, or what the operating system refuses, becomes one fatal line on rosout
    and on the screen, and exit status 2.
    After a signal the process ends within ``END_S`` seconds, whatever its threads compute.

    Args:
      name: the node's name, unless the launch file gives another.
      main: function without arguments that returns an exit status or None (done).
    """
    try:
        rospy.init_node(name)
        forward_logging()
        rospy.on_shutdown(_end_in_time)
        status = main()
    except (SemsegError, OSError) as error:
        rospy.logfatal("%s", " ".join(str(error).split("\n")))
        status = COULD_NOT_RUN
    except ImportError as error:
        if error.name not in GENERATED:
            raise
        rospy.logfatal("%s", without_workspace(error))
        status = COULD_NOT_RUN
    except rospy.ROSException:
        if not rospy.is_shutdown():
            raise
        status = DONE  # A signal interrupted a wait.
    _exit(DONE if status is None else status)


def _end_in_time():
    # A graph that loads or an inference that runs cannot be interrupted, only left behind.
    timer = threading.Timer(END_S, _exit, [DONE])
    timer.daemon = True
    timer.start()


def _exit(status):
    rospy.signal_shutdown("done")
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: that waits for engine threads, which may be deep inside an inference.
    os._exit(status)
