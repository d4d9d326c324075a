import pytest
from pydantic import TypeAdapter

from semseg.errors import ConfigError
from semseg.training.building import build_network
from semseg.training.config.experiment import NetworkConfig


def test_network_options_that_contradict_each_other_are_named():
    section = {"name": "resnet_baseline", "decoder_blocks": (2,)}
    config = TypeAdapter(NetworkConfig).validate_python(section)
    with pytest.raises(ConfigError, match="network 'resnet_baseline': decoder_blocks has 1 scales"):
        build_network(config, 3)
