"""The flags of ``scripts/evaluate_bag.py`` and the options that they make, with ROS and without."""

from collections.abc import Sequence
from typing import NamedTuple

from semseg import command_line
from semseg.commands import delivery, flags
from semseg.commands.delivery import ReportOptions
from semseg.commands.flags import SegmenterOptions
from semseg.errors import ConfigError

EXAMPLE = """scripts/evaluate_bag.py --bag x.bag --model reduced --other-model full \\
      --image-topic /camera/image_raw --label-topic /camera/labels --html report.html"""


class BagOptions(NamedTuple):
    """What is evaluated on which bag, and how.

    Attributes:
      bag: files, folders and patterns that make up one bag.
      segmenter: the model.
      image_topic: topic of the images, raw or compressed.
      label_topic: topic of the true labels; None without.
      delivery: what becomes of the report.
      other_model: a model whose labels are compared.
      output: new bag.
      force: whether that may exist.
      live: whether the bag is played through the running node.
      max_latency: the longest latency, in seconds, that is good enough; None: any.
      play_rate: speed of the playback, as a factor.
    """

    bag: Sequence[str]
    segmenter: SegmenterOptions
    image_topic: str
    label_topic: str | None
    delivery: ReportOptions
    other_model: str | None
    output: str | None
    force: bool
    live: bool
    max_latency: float | None
    play_rate: float

    def check(self) -> None:
        """Finds out before the work whether they can be used; raises ``ConfigError``."""
        if self.delivery.min_miou is not None and not self.label_topic:
            raise ConfigError(
                "--min-miou needs --label-topic: without true labels nothing is scored"
            )
        delivery.check_report_options(self.delivery)


def parse(description: str) -> BagOptions:
    """Reads the command line."""
    parser = command_line.parser(description, EXAMPLE)
    bag = "files of one recording, a folder of them, or a pattern"
    parser.add_argument("--bag", required=True, nargs="+", metavar="BAG", help=bag)
    flags.add_model_flags(parser)
    parser.add_argument("--image-topic", required=True, metavar="TOPIC", help="raw or compressed")
    parser.add_argument("--label-topic", metavar="TOPIC", help="true labels, ids of the model")
    delivery.add_report_flags(parser)
    offline = parser.add_argument_group("without ROS")
    offline.add_argument("--other-model", metavar="MODEL", help="compare the labels with its")
    offline.add_argument("--output", metavar="BAG", help="new bag: all messages, and the labels")
    offline.add_argument("--force", action="store_true", help="replace an existing bag")
    live = parser.add_argument_group("with ROS")
    live.add_argument("--live", action="store_true", help="play it through the node, in real time")
    positive = command_line.positive(float)
    live.add_argument("--max-latency", type=positive, metavar="S", help="exit 1 above (p95)")
    live.add_argument("--play-rate", type=positive, default=1.0, metavar="FACTOR", help="speed")
    return command_line.options(parser, BagOptions)
