"""What the diagnostics say of a camera."""

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from semseg.ros.diagnostics import judge


@pytest.mark.parametrize(
    "publishers, silence_s, level, text",
    [
        (0, None, DiagnosticStatus.WARN, "nobody publishes /image"),
        (0, 0.1, DiagnosticStatus.WARN, "nobody publishes /image"),
        (1, None, DiagnosticStatus.WARN, "no image yet on /image"),
        (1, 7.2, DiagnosticStatus.WARN, "no image on /image for 7 s"),
        (1, 0.1, DiagnosticStatus.OK, "receiving /image"),
    ],
)
def test_a_silent_camera_is_a_warning(publishers, silence_s, level, text):
    assert judge("/image", publishers, silence_s) == (level, text)
