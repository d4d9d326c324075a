"""What can be told without true labels: agreement of two models, consistency over time.

Whatever needs true labels is in ``scores``.
"""
