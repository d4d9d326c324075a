#!/usr/bin/env python3
"""Writes a frozen graph that labels each pixel with its strongest channel: red, green, blue."""

import sys

import tensorflow as tf

COLORS_BGR = [[0, 0, 255], [0, 255, 0], [255, 0, 0], [0, 0, 0]]
NAMES = ["red", "green", "blue", "void"]


def build():
    image = tf.compat.v1.placeholder(tf.uint8, [None, None, None, 3], name="input")
    colors = tf.constant(COLORS_BGR, tf.uint8, name="id_to_rgb")
    tf.constant(NAMES, name="id_to_class_names")
    probabilities = tf.nn.softmax(tf.cast(image, tf.float32) / 16, name="class_probabilities")
    ids = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
    tf.cast(ids, tf.uint8, name="class_ids")
    tf.reduce_max(probabilities, axis=-1, name="class_confidence")
    tf.gather(colors, ids, name="class_colors")


if __name__ == "__main__":
    graph = tf.Graph()
    with graph.as_default():
        build()
    with open(sys.argv[1], "wb") as file:
        file.write(graph.as_graph_def().SerializeToString())
