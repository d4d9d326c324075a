"""From a model's name to its file."""

import os

import pytest

from semseg.errors import ConfigError
from semseg.profiles import model_path, shipped_profiles
from semseg.resources import package_folder

PROFILES = {"reduced": "models/small.pb", "night": "/data/night.pb"}


def test_profiles_are_relative_to_the_package_and_paths_are_kept():
    expected = os.path.join(package_folder(), "models", "small.pb")
    assert model_path("reduced", PROFILES) == expected
    assert model_path("night", PROFILES) == "/data/night.pb"
    assert model_path("./mine.pb", PROFILES) == os.path.abspath("mine.pb")
    assert model_path("mine.pb", PROFILES) == os.path.abspath("mine.pb")


def test_an_unknown_profile_lists_the_known_ones():
    with pytest.raises(ConfigError, match="unknown model 'reducd'; available: night, reduced"):
        model_path("reducd", PROFILES)


def test_reduced_and_full_are_shipped():
    assert {"reduced", "full"} <= set(shipped_profiles())
