"""Datasets with classes of their own: roads, lane marks, trails."""

import numpy as np
import pytest
from PIL import Image

from semseg.data import load_dataset


def test_kitti_road_black_is_neither_road_nor_not(image, colors, read):
    magenta, red, black = (255, 0, 255), (255, 0, 0), (0, 0, 0)
    image("training/image_2/um_000000.png")
    colors("training/gt_image_2/um_road_000000.png", magenta, red, black, red)
    colors("training/gt_image_2/um_lane_000000.png", red, red, red, red)
    assert read("kitti_road", "train") == {
        "train/um_000000": ["road", "not road", None, "not road"]
    }


def test_kitti_road_is_split_in_blocks_and_whole(image, colors, split_names):
    for category, count in (("um", 95), ("umm", 96), ("uu", 98)):
        for number in range(count):
            image(f"training/image_2/{category}_{number:06d}.png")
            colors(f"training/gt_image_2/{category}_road_{number:06d}.png", *[(255, 0, 0)] * 4)
    val = split_names("kitti_road", "val")
    assert len(split_names("kitti_road", "train")) == 289 - 30
    assert val[:10] == [f"um_{number:06d}" for number in range(85, 95)]
    assert len(val) == 30
    assert "uu_000097" in val
    assert "uu_000088" in val


class TestApolloscape:
    def test_scene_has_spaces_in_its_paths_and_merges_groups(self, image, gray, read):
        # Sky (17), others (0) and rover (1) share a train id in the data set's own table.
        folder = "road01_ins/{}/Record001/Camera 5/170908_061502408_Camera_5"
        image(folder.format("ColorImage") + ".jpg")
        gray(folder.format("Label") + "_bin.png", 33, 161, 17, 1)
        gray(folder.format("Label") + "_instanceIds.png", 1, 1, 1, 1)
        labels = list(read("apolloscape_scene", "train").values())
        assert labels == [["car", "car", "sky", None]]

    def test_scene_is_split_by_road(self, image, gray, split_names):
        for road in ("road01_ins", "road04_seg", "road03_seg"):
            image(f"{road}/ColorImage/Record001/Camera 6/{road}.jpg")
            gray(f"{road}/Label/Record001/Camera 6/{road}_bin.png", 49, 49, 49, 49)
        assert len(split_names("apolloscape_scene", "train")) == 2
        assert split_names("apolloscape_scene", "val") == [
            "road03_seg/ColorImage/Record001/Camera 6/road03_seg"
        ]

    def test_lane_background_is_a_class_and_noise_is_not(self, image, colors, read):
        image("ColorImage_road02/ColorImage/Record001/Camera 5/a_1.jpg")
        colors(
            "Labels_road02/Label/Record001/Camera 5/a_1_bin.png",
            *[(0, 0, 0), (70, 130, 180), (0, 153, 153), (128, 0, 128)],
        )
        labels = list(read("apolloscape_lane", "train").values())
        assert labels == [["background", "s_w_d", None, None]]
        # The name void is taken: it is what frozen graphs call no class.
        assert "void" not in load_dataset("apolloscape_lane").classes.names


class TestComma10k:
    ROAD, LANE, UNDRIVABLE = (64, 32, 32), (255, 0, 0), (128, 128, 96)
    MOVABLE, MY_CAR = (0, 255, 102), (204, 0, 255)

    def test_val_is_what_ends_in_9(self, image, colors, read):
        for folder, number in (("s", "0018"), ("s", "0019"), ("s2", "0109")):
            image(f"img{folder}/{number}.png")
            colors(f"mask{folder}/{number}.png", self.ROAD, self.LANE, self.UNDRIVABLE, self.MY_CAR)
        expected = ["road", "lane markings", "undrivable", "my car"]
        assert read("comma10k", "train") == {"train/imgs/0018": expected}
        assert read("comma10k", "val") == {"val/imgs/0019": expected, "val/imgs2/0109": expected}

    def test_masks_with_alpha_or_a_palette_are_colours_too(self, image, colors, tmp_path, read):
        image("imgs/0001.png", "imgs/0002.png")
        colors("masks/0001.png", *[(*self.MOVABLE, 255)] * 4)
        mask = Image.fromarray(np.array([[0, 1, 1, 0]], np.uint8), "P")
        mask.putpalette([*self.ROAD, *self.MOVABLE])
        mask.save(tmp_path / "masks/0002.png")
        assert read("comma10k", "train") == {
            "train/imgs/0001": ["movable"] * 4,
            "train/imgs/0002": ["road", "movable", "movable", "road"],
        }


class TestTrails:
    def test_rugd_splits_by_scene(self, image, colors, read):
        for scene in ("trail", "trail-5", "creek"):
            image(f"RUGD_frames-with-annotations/{scene}/{scene}_00001.png")
            colors(
                f"RUGD_annotations/{scene}/{scene}_00001.png",
                *[(108, 64, 20), (0, 102, 0), (0, 0, 255), (0, 0, 0)],
            )
        expected = ["dirt", "grass", "sky", None]
        assert read("rugd", "train") == {"train/trail/trail_00001": expected}
        assert list(read("rugd", "val").values()) == [expected]
        assert list(read("rugd", "test").values()) == [expected]

    def test_rugd_uses_each_scene_once(self, image, colors, split_names):
        scenes = ["creek", "park-1", "park-2", "park-8", "trail", "village"]
        scenes += [f"trail-{number}" for number in (3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15)]
        for scene in scenes:
            image(f"RUGD_frames-with-annotations/{scene}/{scene}_1.png")
            colors(f"RUGD_annotations/{scene}/{scene}_1.png", *[(0, 0, 255)] * 4)
        found = [name for split in ("train", "val", "test") for name in split_names("rugd", split)]
        assert len(found) == len(set(found)) == len(scenes)

    def test_rellis3d_follows_its_lists_and_knows_ids_outside_the_ontology(
        self, image, gray, read, tmp_path
    ):
        image("00000/pylon_camera_node/frame000000-1581624652_750.jpg")
        label = "00000/pylon_camera_node_label_id/frame000000-1581624652_750.png"
        gray(label, 3, 29, 32, 1)
        image("00000/pylon_camera_node/frame000001-1581624652_850.jpg")
        line = f"00000/pylon_camera_node/frame000000-1581624652_750.jpg {label}\n"
        (tmp_path / "val.lst").write_text(line)
        assert read("rellis3d", "val") == {
            "val/frame000000-1581624652_750": ["grass", "grass", "water", None]
        }


def test_a2d2_merges_instances_and_keeps_forbidden_streets_apart(image, colors, read):
    folder = "20180807_145028/{0}/cam_front_center/20180807145028_{0}_frontcenter_000000091.png"
    image(folder.format("camera"))
    colors(folder.format("label"), (255, 0, 0), (128, 0, 0), (139, 99, 108), (72, 209, 204))
    labels = list(read("a2d2", "train").values())
    assert labels == [["Car", "Car", "Non-drivable street", None]]


def test_a2d2_holds_out_the_last_recordings(image, colors, split_names):
    for drive in ("20180925_135056", "20181016_125231", "20181107_132730", "20181204_170238"):
        folder = f"{drive}/{{0}}/cam_side_left/{drive[:8]}_{{0}}_sideleft_000000001.png"
        image(folder.format("camera"))
        colors(folder.format("label"), *[(255, 0, 255)] * 4)
    assert len(split_names("a2d2", "train")) == 3
    assert len(split_names("a2d2", "val")) == 1


@pytest.mark.parametrize(("dataset", "tried"), [("camvid", True), ("cityscapes", False)])
def test_what_was_never_tried_on_real_files_says_so(caplog, dataset, tried):
    load_dataset(dataset)
    assert bool(caplog.records) != tried
    if not tried:
        assert "cityscapes" in caplog.text
        assert "check_dataset.py" in caplog.text
