"""Camera info of the outputs: a point of the world stays on its pixel."""

import numpy as np
import pytest
import rospy
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

from semseg.ros.camera_info import fitted, image_size, output_camera_info
from semseg.runtime.images.geometry import Fit
from semseg.runtime.images.view import Margins, View

HEADER = Header(stamp=rospy.Time(7, 8), frame_id="front_optical")
K = [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]
P = [490.0, 0.0, 322.0, -49.0, 0.0, 505.0, 238.0, 0.0, 0.0, 0.0, 1.0, 0.0]
POINT = np.array([0.3, -0.2, 2.0, 1.0])


def info(**fields):
    return CameraInfo(height=480, width=640, K=K, P=P, D=[0.1] * 5, **fields)


def pixel(found):
    x, y, depth = np.reshape(found.P, (3, 4)) @ POINT
    return np.array([x, y]) / depth


def test_outputs_of_the_camera_s_size_have_the_camera_s_own():
    found = output_camera_info(info(), HEADER, View(Margins(9, 9)).placed((480, 640)))
    assert found.header == HEADER
    assert (list(found.K), list(found.P), found.height) == (K, P, 480)


@pytest.mark.parametrize("rotation", [0, 90, 180])
def test_a_cropped_and_scaled_region_keeps_the_point(rotation):
    view = View(Margins(100, 60, 40, 0), rotation)
    fit = Fit.create(view.seen_size((480, 640)), (160, 300), "squash")
    placement = view.placed((480, 640), fit)
    found = output_camera_info(info(), HEADER, placement)
    assert (found.height, found.width) == placement.output_size
    scale = np.array([found.width / 600, found.height / 320])
    np.testing.assert_allclose(pixel(found), (pixel(info()) - [40, 100]) * scale)
    assert found.P[3] == pytest.approx(-49.0 * scale[0])  # the stereo baseline, in pixels
    assert list(found.D) == [0.1] * 5


def test_a_camera_that_sends_a_binned_part_of_its_sensor():
    roi = RegionOfInterest(y_offset=80, x_offset=160, height=320, width=400)
    binned = info(roi=roi, binning_x=2, binning_y=2)
    assert image_size(binned) == (160, 200)
    fit = Fit.create((160, 200), (80, 100), "squash")
    found = output_camera_info(binned, HEADER, View().placed((160, 200), fit))
    np.testing.assert_allclose(pixel(found), (pixel(info()) - [160, 80]) / 4)
    assert (found.roi.width, found.binning_x) == (0, 0)


def test_an_uncalibrated_camera_stays_uncalibrated():
    fit = Fit.create((480, 640), (48, 64), "squash")
    blank = CameraInfo(height=480, width=640)
    found = output_camera_info(blank, HEADER, View(Margins(8, 8)).placed((480, 640), fit))
    assert not any(found.K)
    assert not any(found.P)


@pytest.mark.parametrize(
    "size, factor", [((480, 640), None), ((240, 320), 2), ((160, 213), 3), ((60, 80), 8)]
)
def test_images_that_are_binned_have_an_info_that_says_so(size, factor):
    """A decimating nodelet shrinks the image, and passes the info of the full one on."""
    found = fitted(info(), size)
    assert image_size(found) == size
    assert found.binning_x == found.binning_y == (factor or 0)
    region = output_camera_info(
        found, HEADER, View().placed(size, Fit.create(size, (48, 64), "squash"))
    )
    scale = np.array([64 / size[1], 48 / size[0]]) / (factor or 1)
    np.testing.assert_allclose(pixel(region), pixel(info()) * scale)


def test_an_info_that_says_binned_beside_full_images_is_put_right():
    found = fitted(info(binning_x=2, binning_y=2), (480, 640))
    assert image_size(found) == (480, 640)


@pytest.mark.parametrize("size", [(480, 320), (360, 640), (960, 1280), (479, 640), (40, 53)])
def test_an_info_of_another_size_fits_no_image(size):
    assert fitted(info(), size) is None


def test_an_info_without_a_size_fits_no_image():
    assert fitted(CameraInfo(K=K, P=P), (480, 640)) is None
