"""Depth, labels and pose agree with one another and with geometry."""

import numpy as np
import pytest

from semseg.town import BASELINE, drive, frame, right_frame
from semseg.town.camera import Camera, intrinsics, pose
from semseg.town.drives import camera_at
from semseg.town.labels import Label
from semseg.town.raster import empty_buffers, rasterize
from semseg.town.render import render
from semseg.town.scene import Scene
from semseg.town.surface import Cutout, Surface, Texture, pack, upright

SIZE = (120, 200)
STATIC = [Label.BUILDING, Label.ROAD, Label.PAVEMENT]


def world_points(one):
    """World coordinates of every pixel, (H, W, 3); nonsense where the sky is."""
    height, width = one.depth.shape
    y, x = np.mgrid[0:height, 0:width].astype(float)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(one.intrinsics).T
    points = rays * np.minimum(one.depth, 1e6)[..., None]
    return points @ one.pose[:3, :3].T + one.pose[:3, 3]


@pytest.mark.parametrize(("split", "index"), [("train", 0), ("train", 512), ("val", 33)])
def test_road_depth_is_that_of_the_plane_under_the_camera(split, index):
    one = frame(split, index, SIZE)
    y, x = np.nonzero(one.labels == Label.ROAD)
    pixels = np.stack([x, y, np.ones_like(x)])
    down = one.pose[1, :3] @ np.linalg.inv(one.intrinsics) @ pixels
    assert len(y) > 2000
    np.testing.assert_allclose(one.depth[y, x], -one.pose[1, 3] / down, rtol=1e-3)


@pytest.mark.parametrize("index", range(0, 2000, 400))
def test_sky_is_infinitely_far_and_nothing_else_is(index):
    one = frame("train", index, SIZE)
    assert np.array_equal(np.isinf(one.depth), one.labels == Label.SKY)
    assert one.depth.min() > 0.3


@pytest.mark.parametrize("seed", [1, 4, 11])
def test_static_points_are_found_again_from_the_next_pose(seed):
    first, second = drive(seed, 2, rate_hz=4.0, size=SIZE)
    static = np.isin(first.labels, STATIC) & (first.depth < 40)
    points = world_points(first)[static]
    seen = (points - second.pose[:3, 3]) @ second.pose[:3, :3] @ second.intrinsics.T
    x, y = np.round(seen[:, :2] / seen[:, 2:]).astype(int).T
    inside = (seen[:, 2] > 1) & (x >= 0) & (y >= 0) & (x < SIZE[1]) & (y < SIZE[0])
    depth, labels = second.depth[y[inside], x[inside]], second.labels[y[inside], x[inside]]
    off = depth / seen[inside, 2] - 1
    same = labels == first.labels[static][inside]
    unhidden = off > -0.06
    assert len(off) > 3000
    assert np.mean(unhidden) > 0.9
    assert np.mean((off < 0.06)[unhidden]) > 0.97
    assert np.mean(same[unhidden]) > 0.95
    assert np.median(np.abs(off[unhidden])) < 0.01


def test_a_second_camera_sees_the_same_scene_shifted_by_its_disparity():
    scene = Scene((9, 9))
    left = camera_at(scene, 1.0, SIZE)
    shifted = left.pose.copy()
    shifted[:3, 3] += 0.3 * left.pose[:3, 0]
    one, other = (render(scene, view, 1.0) for view in (left, left._replace(pose=shifted)))
    y, x = np.nonzero((one.labels != Label.SKY) & (one.depth > 4))
    moved = np.round(x - left.intrinsics[0, 0] * 0.3 / one.depth[y, x]).astype(int)
    inside = moved >= 0
    y, x, moved = y[inside], x[inside], moved[inside]
    assert np.mean(one.labels[y, x] == other.labels[y, moved]) > 0.93


@pytest.mark.parametrize(("split", "index"), [("train", 3), ("train", 1207), ("val", 40)])
def test_the_right_image_shows_each_point_its_disparity_further_left(split, index):
    left, right = frame(split, index, SIZE), right_frame(split, index, SIZE)
    assert np.allclose(np.linalg.inv(left.pose) @ right.pose @ (0, 0, 0, 1), (BASELINE, 0, 0, 1))
    assert left.disparity.dtype == np.float32
    assert np.array_equal(left.disparity == 0, left.labels == Label.SKY)
    static = np.isin(left.labels, STATIC)
    y, x = np.nonzero(static & (x_of(left) - left.disparity > 1))
    columns = np.round(x - left.disparity[y, x]).astype(int)
    # A point that nothing hides has the same depth, label and disparity in both.
    unhidden = np.abs(right.disparity[y, columns] - left.disparity[y, x]) < 0.5
    assert np.mean(unhidden) > 0.85
    assert np.mean((right.labels[y, columns] == left.labels[y, x])[unhidden]) > 0.97
    difference = right.image[y, columns].astype(int) - left.image[y, x]
    assert np.median(np.abs(difference[unhidden])) < 8


def x_of(one):
    """Column of each pixel, (1, W)."""
    return np.arange(one.depth.shape[1])[None]


def wall(depth, label, rgba):
    texture = Texture(np.full((8, 8, 4), rgba, np.uint8))
    return upright(texture, np.array([0.0, 1.0, depth]), (2.0, 2.0), label)


def straight_camera():
    return Camera((101, 101), intrinsics((101, 101)), pose(np.zeros(3), 0.0, 0.0, 0.0))


def test_nearer_surfaces_hide_farther_ones_in_any_order():
    near, far = wall(4.0, Label.CAR, (9, 9, 9, 255)), wall(5.0, Label.SIGN, (80, 80, 80, 255))
    for surfaces in ([near, far], [far, near]):
        buffers = empty_buffers((101, 101))
        rasterize(pack(surfaces), straight_camera(), buffers)
        assert buffers.inverse_depth[50, 50] == pytest.approx(1 / 4)
        assert buffers.ids[50, 50] == surfaces.index(near) + 1
        assert tuple(buffers.albedo[50, 50, :3]) == (9, 9, 9)


def test_a_surface_covers_the_pixels_that_the_pinhole_camera_says():
    buffers = empty_buffers((101, 101))
    rasterize(pack([wall(5.0, Label.SIGN, (1, 2, 3, 255))]), straight_camera(), buffers)
    half = 0.9 * 101 / 5.0
    columns = np.flatnonzero(buffers.ids[50])
    assert columns[0] == np.ceil(50 - half)
    assert columns[-1] == np.floor(50 + half)


def test_holes_show_what_is_behind_and_backs_are_not_drawn():
    hole = wall(4.0, Label.CAR, (9, 9, 9, 0))
    away = wall(3.0, Label.CAR, (9, 9, 9, 255))._replace(two_sided=False)
    away = away._replace(corner=away.corner + away.right, right=-away.right)
    buffers = empty_buffers((101, 101))
    behind = wall(5.0, Label.SIGN, (80, 80, 80, 255))
    rasterize(pack([hole, away, behind]), straight_camera(), buffers)
    assert buffers.ids[50, 50] == 3


def test_a_plane_through_the_camera_leaves_nothing_behind_it():
    ground = Surface(
        Texture(np.full((8, 8, 4), 255, np.uint8)),
        corner=np.array([-5.0, 1.5, 50.0]),
        right=np.array([10.0, 0.0, 0.0]),
        down=np.array([0.0, 0.0, -60.0]),
        label=Label.ROAD,
    )
    buffers = empty_buffers((101, 101))
    rasterize(pack([ground]), straight_camera(), buffers)
    assert not buffers.ids[:51].any()
    assert buffers.ids[90, 50] == 1
    assert buffers.inverse_depth[90, 50] == pytest.approx(40 / (0.9 * 101) / 1.5, rel=1e-5)


def test_cutouts_keep_their_place_in_the_picture():
    rgba = np.zeros((10, 20, 4), np.uint8)
    rgba[4:8, 5:10] = 255
    surface = upright(Cutout.of(rgba), np.zeros(3), (2.0, 1.0), Label.TREE)
    np.testing.assert_allclose(surface.corner, [-0.5, -0.6, 0.0])
    np.testing.assert_allclose(surface.right, [0.5, 0.0, 0.0])
    np.testing.assert_allclose(surface.down, [0.0, 0.4, 0.0])
    assert surface.texture.rgba.shape == (4, 5, 4)
