"""What each script does: its wiring, from the sources of frames to the reports and exit status.

Nothing imports a command but its script. What an evaluation counts or a training computes is not
here but in ``evaluation``, ``training``, ``data`` and ``runtime``, below.
"""
