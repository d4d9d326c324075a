"""Tells pip and catkin what the package is; name, version and the rest come from package.xml."""

import os

from catkin_pkg.package import parse_package
from setuptools import find_packages, setup

ROOT = os.path.dirname(os.path.abspath(__file__))


def requirements(name):
    """Reads the requirements of ``requirements/<name>.txt``."""
    with open(os.path.join(ROOT, "requirements", name + ".txt")) as lines:
        stripped = (line.split("#")[0].strip() for line in lines)
        return [line for line in stripped if line and not line.startswith("-")]


# Each engine is an extra, too: semseg[openvino], semseg[onnxruntime], semseg[ai-edge-litert].
engines = {line.split(">")[0]: [line] for line in requirements("engines")}
extras = ("train", "pretrained", "export", "gpu", "engines", "dev")
package = parse_package(ROOT)
setup(
    name=package.name,
    version=package.version,
    description=" ".join(package.description.split()),
    license=package.licenses[0],
    maintainer=package.maintainers[0].name,
    maintainer_email=package.maintainers[0].email,
    packages=find_packages(ROOT, include=["semseg", "semseg.*"]),
    package_dir={"": "."},
    package_data={"semseg.evaluation.report": ["*.jinja"]},
    python_requires=">=3.6",
    install_requires=requirements("base"),
    extras_require=dict({name: requirements(name) for name in extras}, **engines),
)
