"""CamVid: the 11-class files, and the original 32 colours under three declarations."""

import pytest

SKY, ROAD, SIDEWALK, VOID = (128, 128, 128), (128, 64, 128), (0, 0, 192), (0, 0, 0)
LANE_MARKING, TRUCK_BUS, WALL, SUV = (128, 0, 192), (192, 128, 192), (64, 192, 0), (64, 128, 192)


@pytest.fixture
def original(image, colors):
    """Writes a frame of the original archive."""

    def write(name, *rgb):
        image(f"701_StillsRaw_full/{name}.png")
        colors(f"LabeledApproved_full/{name}_L.png", *(rgb or [SKY] * 4))

    return write


def test_camvid(image, gray, read):
    image("val/0016E5_07959.png")
    gray("valannot/0016E5_07959.png", 0, 3, 10, 11)
    assert read("camvid", "val") == {"val/0016E5_07959": ["Sky", "Road", "Bicyclist", None]}


def test_camvid_32_keeps_every_class_but_void(original, read):
    original("0016E5_07959", LANE_MARKING, TRUCK_BUS, SIDEWALK, VOID)
    assert read("camvid_32", "val") == {
        "val/0016E5_07959": ["LaneMkgsDriv", "Truck_Bus", "Sidewalk", None]
    }


def test_the_segnet_protocol_merges_what_the_pidnet_protocol_ignores(original, read):
    # Sidewalk is (0, 0, 192) in the files, though SegNet draws it in (60, 40, 222).
    original("0006R0_f00930", LANE_MARKING, WALL, SUV, SIDEWALK)
    original("0006R0_f00960", SKY, SKY, ROAD, ROAD)
    both = {"train/0006R0_f00960": ["Sky", "Sky", "Road", "Road"]}
    assert read("camvid_segnet11", "train") == {
        "train/0006R0_f00930": ["Road", "Building", "Car", "Pavement"],
        **both,
    }
    assert read("camvid_pidnet11", "train") == {
        "train/0006R0_f00930": [None, None, None, "Sidewalk"],
        **both,
    }


def test_the_pidnet_protocol_has_its_own_order(original, read):
    original("Seq05VD_f00000", (0, 128, 192), (128, 0, 0), ROAD, VOID)
    assert read("camvid_pidnet11", "test") == {
        "test/Seq05VD_f00000": ["Bicyclist", "Building", "Road", None]
    }


@pytest.mark.parametrize("dataset", ["camvid_32", "camvid_segnet11", "camvid_pidnet11"])
def test_the_original_files_have_the_split_of_the_tutorial(original, split_names, dataset):
    # One drive is cut between train and test, one between train and val.
    splits = {
        "train": ["0001TP_006690", "0001TP_008520", "0006R0_f03930", "0016E5_00390"]
        + ["0016E5_00901", "0016E5_07920", "0016E5_08190", "0016E5_08640"],
        "val": ["0016E5_07959", "0016E5_07999", "0016E5_08001", "0016E5_08159"],
        "test": ["0001TP_008550", "0001TP_010380", "Seq05VD_f00000", "Seq05VD_f05100"],
    }
    for names in splits.values():
        for name in names:
            original(name)
    assert {split: split_names(dataset, split) for split in splits} == splits
