"""Freezes the layers of `resnet_baseline` as TensorFlow 1.15 does; see engines.py. Python 3.6.

.venv-robot/bin/python benchmarks/naive_graph_tf1.py naive.pb 256 512 8
"""

import sys

import tensorflow as tf
from training_step_tf1 import resnet_baseline

tf1 = tf.compat.v1
OUTPUTS = ["class_ids", "class_confidence"]


def main():
    path = sys.argv[1]
    height, width, base_width = (int(value) for value in sys.argv[2:])
    images = tf1.placeholder(tf.uint8, [1, height, width, 3], name="input")
    logits = resnet_baseline(tf.cast(images, tf.float32), 11, base_width, training=False)
    probabilities = tf.nn.softmax(logits)
    tf.cast(tf.argmax(probabilities, -1, output_type=tf.int32), tf.uint8, name=OUTPUTS[0])
    tf.reduce_max(probabilities, -1, name=OUTPUTS[1])
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        frozen = tf1.graph_util.convert_variables_to_constants(session, session.graph_def, OUTPUTS)
    with open(path, "wb") as file:
        file.write(frozen.SerializeToString())


if __name__ == "__main__":
    main()
