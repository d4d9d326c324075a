"""What a run leaves in its folder and reads again: checkpoints, scores, provenance.

Files for robots are written by ``export``.
"""
