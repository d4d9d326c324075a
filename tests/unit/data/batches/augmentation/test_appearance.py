import numpy as np
import pytest

from semseg.data.batches.augmentation import AugmentationConfig, draw_appearance
from semseg.data.batches.augmentation.appearance import gamma_exponent


def rng(seed=0):
    return np.random.default_rng(seed)


def changed(image, seed=0, **strengths):
    appearance = draw_appearance(rng(seed), AugmentationConfig(**strengths))
    return appearance.apply(image, rng(seed))


def grey(value, height=40, width=60):
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize(("z", "exponent"), [(0.0, 1.0), (0.05, 0.8146), (-0.05, 1.2275)])
def test_gamma_follows_the_frrn_rule(z, exponent):
    # ln(0.5353553) / ln(0.4646447) and its inverse, computed by hand.
    assert gamma_exponent(z) == pytest.approx(exponent, abs=1e-3)


@pytest.mark.parametrize("field", ["gamma", "brightness", "contrast"])
def test_tone_changes_keep_grey_grey(field):
    image = changed(grey(60), **{field: 0.3})
    assert (image == image[0, 0, 0]).all()
    assert image[0, 0, 0] != 60


def test_brightness_is_a_share_of_the_range_and_saturates():
    values = [int(changed(grey(250), seed, brightness=0.2)[0, 0, 0]) for seed in range(99)]
    assert 250 - 51 <= min(values) < 210
    assert max(values) == 255


@pytest.mark.parametrize("change", [{"saturation": 0.5}, {"hue_deg": 60.0}])
def test_colour_changes_move_colours_but_no_grey(change):
    image = np.array([[(200, 100, 50), (90, 90, 90)]], np.uint8)
    new_images = np.array([changed(image, seed, **change) for seed in range(20)]).astype(int)
    assert np.abs(new_images[:, 0, 0] - image[0, 0]).max() > 20
    assert np.abs(new_images[:, 0, 1] - 90).max() <= 1


def test_hue_turns_colours_either_way_and_keeps_their_mean():
    config = AugmentationConfig(hue_deg=60.0)
    reds = np.array([draw_appearance(rng(seed), config).colors[:, 0] for seed in range(300)])
    assert reds.sum(axis=1) == pytest.approx(1)
    turns = np.degrees(np.arctan2(np.sqrt(3) * (reds[:, 1] - reds[:, 2]), 3 * reds[:, 0] - 1))
    assert -60 <= turns.min() < -57
    assert 57 < turns.max() <= 60


def test_illumination_falls_off_to_one_side_by_at_most_its_share():
    for seed in range(20):
        light = changed(grey(100), seed, illumination=0.4).astype(int)[..., 0]
        assert abs(light.mean() - 100) <= 1
        corners = light[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert 100 - 40 * np.sqrt(2) - 1 <= corners.min() <= 100
        assert abs(light[0, 0] + light[-1, -1] - 200) <= 2, "it is linear"


def test_a_shadow_darkens_a_part_by_at_most_its_share():
    shares = []
    for seed in range(50):
        image = changed(grey(200, 160, 240), seed, shadow=0.6)[..., 0]
        assert image.max() <= 200
        assert image.min() >= 200 * 0.4 - 1
        shares.append((image < 199).mean())
    assert 0.2 < np.mean(shares) < 0.8


def test_blur_keeps_the_mean_and_flattens():
    checker = grey(0)
    checker[:, ::2] = 200
    image = changed(checker, 3, blur_px=5.0)
    assert abs(image.mean() - 100) < 3
    assert image[10:-10, 10:-10].std() < 20


def test_noise_has_the_deviation_that_was_drawn_and_no_bias():
    appearance = draw_appearance(rng(2), AugmentationConfig(noise=0.1))
    image = appearance.apply(grey(128, 200, 300), rng()).astype(float)
    assert appearance.noise > 0.02
    assert image.std() == pytest.approx(255 * appearance.noise, rel=0.03)
    assert abs(image.mean() - 128) < 0.2


def test_images_of_one_sample_have_noise_of_their_own():
    appearance = draw_appearance(rng(1), AugmentationConfig(noise=0.1))
    generator = rng()
    left, right = (appearance.apply(grey(128), generator) for _ in range(2))
    assert not np.array_equal(left, right)


def test_jpeg_loses_detail_but_not_the_colours():
    image = rng().integers(0, 256, (64, 64, 3), np.uint8)
    image[:32] = (200, 40, 90)
    new_image = changed(image, 2, jpeg=0.9).astype(int)
    assert np.abs(new_image[:24] - (200, 40, 90)).max() <= 6
    assert np.abs(new_image[32:] - image[32:]).mean() > 10


def test_jpeg_quality_is_what_is_not_lost():
    config = AugmentationConfig(jpeg=0.7)
    qualities = [draw_appearance(rng(seed), config).jpeg_quality for seed in range(300)]
    assert 30 <= min(qualities) < 33
    assert 97 < max(qualities) <= 100
