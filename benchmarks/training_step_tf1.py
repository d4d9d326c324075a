"""One training step of the layers of `resnet_baseline` in TensorFlow 1.15; see training_step.py.

Runs under Python 3.6 and prints the median seconds of a step per line read from stdin, so that
the caller can interleave it with another program.
"""

import sys
import time

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
ENCODER = ((1, 2), (2, 3), (4, 4), (8, 2), (8, 2))
DECODER = ((4, 2), (4, 2), (2, 2), (1, 2))


def convolution(x, width, kernel=3, use_bias=False):
    return tf1.layers.conv2d(x, width, kernel, padding="same", use_bias=use_bias)


def activation(x, training):
    norm = tf1.layers.batch_normalization(x, momentum=0.9, epsilon=1e-5, training=training)
    return tf.nn.relu(norm)


def block(x, width, training):
    skip = x if int(x.shape[-1]) == width else convolution(x, width, 1)
    for _ in range(2):
        x = convolution(activation(x, training), width)
    return skip + x


def stage(x, width, blocks, training):
    for _ in range(blocks):
        x = block(x, width, training)
    return x


def resnet_baseline(images, num_classes, base_width, training=True):
    x, skips = convolution(images / 127.5 - 1.0, base_width), []
    for depth, (factor, blocks) in enumerate(ENCODER):
        if depth:
            skips.append(x)
            x = tf1.layers.max_pooling2d(x, 2, 2)
        x = stage(x, factor * base_width, blocks, training)
    for factor, blocks in DECODER:
        skip = skips.pop()
        x = tf1.image.resize_nearest_neighbor(x, skip.shape[1:3])
        x = stage(tf.concat([x, skip], -1), factor * base_width, blocks, training)
    return convolution(activation(x, training), num_classes, use_bias=True)


def main():
    height, width, batch, base_width, steps = (int(value) for value in sys.argv[1:])
    images = tf1.placeholder(tf.float32, [batch, height, width, 3])
    labels = tf1.placeholder(tf.int32, [batch, height, width])
    logits = resnet_baseline(images, 11, base_width)
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        step = tf1.train.AdamOptimizer(1e-3).minimize(loss)
    rng = np.random.RandomState(0)
    feed = {
        images: rng.uniform(0, 255, images.shape.as_list()),
        labels: rng.randint(0, 11, labels.shape.as_list()),
    }
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        session.run(step, feed)
        sys.stdout.write(
            "parameters %d\n"
            % sum(int(np.prod(v.shape.as_list())) for v in tf1.trainable_variables())
        )
        sys.stdout.flush()
        for _ in sys.stdin:
            seconds = []
            for _ in range(steps):
                start = time.perf_counter()
                session.run(step, feed)
                seconds.append(time.perf_counter() - start)
            sys.stdout.write("seconds %.6f\n" % np.median(seconds))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
