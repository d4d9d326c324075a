"""Evaluation and prediction: frames from images, datasets or bags, one loop, one metric."""
