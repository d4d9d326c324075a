"""What a camera's subscription says of itself while another thread closes it."""

from types import SimpleNamespace

import pytest

from semseg.ros.subscriptions import CameraSubscription, camera_info_topic


@pytest.fixture
def subscription(monkeypatch):
    monkeypatch.setattr("semseg.ros.subscriptions.rospy.resolve_name", lambda topic: "/" + topic)
    return CameraSubscription("front/image", "compressed", lambda message: None)


def test_a_subscriber_that_is_being_closed_has_no_publishers(subscription):
    assert subscription.num_publishers == 0
    connections = SimpleNamespace(get_num_connections=lambda: 2)
    subscription._images = SimpleNamespace(impl=connections)
    assert subscription.num_publishers == 2
    subscription._images.impl = None  # as rospy leaves it after `unregister`
    assert subscription.num_publishers == 0


def test_topics_are_resolved_before_the_transport_s_suffix(subscription):
    assert subscription.topic == "/front/image/compressed"
    assert camera_info_topic("/front/image") == "/front/camera_info"
