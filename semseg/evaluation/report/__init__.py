"""What is told of an evaluation: JSON, terminal, figures, HTML page, comparison with earlier ones.

What is counted is in ``scores``; nothing here looks at a frame's labels.
"""
