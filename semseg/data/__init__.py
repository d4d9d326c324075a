"""Datasets: declarations, samples, label decoding, augmentation and batches.

``semseg.data.batches`` is not imported here: it needs Grain, which reading a dataset does not.
"""

from semseg.data.augmentation import AugmentationConfig
from semseg.data.declarations import dataset_names, load_dataset
from semseg.data.samples import Sample, samples
from semseg.data.specs import DatasetSpec

__all__ = [
    "AugmentationConfig",
    "DatasetSpec",
    "Sample",
    "dataset_names",
    "load_dataset",
    "samples",
]
