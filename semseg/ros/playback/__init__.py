"""Images played to a node, and its published labels compared with true ones.

What a score is, is in ``metrics``; the node itself is ``ros.segmenter_node``.
"""
