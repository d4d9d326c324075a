"""Datasets: declarations, samples, label decoding, augmentation and batches.

``semseg.data.batches.batches`` is not imported here: it needs Grain, which reading does not.
"""

from semseg.data.batches.augmentation import AugmentationConfig
from semseg.data.declarations.find import dataset_names, load_dataset
from semseg.data.declarations.specs import DatasetSpec
from semseg.data.samples.samples import Sample, samples

__all__ = [
    "AugmentationConfig",
    "DatasetSpec",
    "Sample",
    "dataset_names",
    "load_dataset",
    "samples",
]
