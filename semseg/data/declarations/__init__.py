"""How a dataset is declared: its YAML file, or the folder or lists that stand for one, as a spec.

No image or label file is read here.
"""
