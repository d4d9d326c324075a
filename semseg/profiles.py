"""Model profiles: the names, such as ``reduced``, under which graphs are configured."""

import os
from typing import Mapping, Optional

import yaml

from semseg.errors import ConfigError, unknown_name
from semseg.resources import package_folder, shipped_file


def shipped_profiles() -> dict:
    """Returns the ``models:`` of ``config/segmenter.yaml``: profile name -> graph's path.

    Raises:
      ConfigError: the file is no YAML, or has no such dictionary.
    """
    path = shipped_file("config", "segmenter.yaml")
    with open(path) as file:
        try:
            models = (yaml.safe_load(file) or {}).get("models")
        except (yaml.YAMLError, AttributeError) as error:
            raise ConfigError("%s: %s" % (path, error))
    if not isinstance(models, dict):
        raise ConfigError("%s: 'models' must name a graph per profile, found %r" % (path, models))
    return models


def model_path(model: str, profiles: Optional[Mapping[str, str]] = None) -> str:
    """Returns the path of a model's graph.

    Args:
      model: a profile's name or the path of a ``.pb`` file.
      profiles: profile name -> path, relative to the package where it is not absolute; None
        takes ``shipped_profiles``.

    Raises:
      ConfigError: it is neither a profile nor looks like a path.
    """
    profiles = shipped_profiles() if profiles is None else profiles
    if model in profiles:
        return os.path.join(package_folder(), os.path.expanduser(str(profiles[model])))
    if os.sep in model or model.endswith(".pb"):
        # Absolute, for the errors: roslaunch runs nodes in ROS_HOME, not where it was called.
        return os.path.abspath(os.path.expanduser(model))
    raise ConfigError(unknown_name("model", model, profiles) + "; or the path of a .pb file")
