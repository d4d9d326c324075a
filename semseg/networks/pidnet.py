"""PIDNet-S, a real-time network of three branches: detail (P), context (I) and boundaries (D).

Source: Xu et al., "PIDNet: A Real-time Semantic Segmentation Network Inspired by PID Controllers",
CVPR 2023 (arXiv 2206.02066), figures 4 to 7; where the paper leaves a width or an
activation open, it is that of the authors' code. Their grouped convolution of the pyramid is one
convolution for each of its levels here, which is the same and which TensorFlow 1.15 has on
processors. Of their four losses the fourth is left out: the cross-entropy, counted once more where
the D branch sees a boundary, needs two outputs in one loss.
"""

from typing import Any

import keras
from keras import ops

from semseg.networks.blocks import activate, conv_norm, image_input
from semseg.networks.dual_resolution import basic_block, bottleneck, head, pyramid, stage
from semseg.networks.heads import NumClasses, heads
from semseg.networks.layers import ResizeLike


def pidnet(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    width: int = 32,
    blocks: tuple[int, int, int, int] = (2, 2, 3, 3),
    auxiliary: bool = False,
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      width: channels after the first convolution; 32 is the published S.
      blocks: residual blocks at 1/4, 1/8, 1/16 and 1/32 of the image.
      auxiliary: add the paper's auxiliary outputs: classes from the P branch after its first
        fusion, and boundaries from the D branch after its second.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.
    """
    image, x = image_input(channels)
    x = conv_norm(x, width, 3, "stem0", strides=2)
    x = conv_norm(x, width, 3, "stem1", strides=2)
    x = activate(stage(x, width, 1, "stage1", blocks[0]), "stage1")  # 1/4
    x = activate(stage(x, 2 * width, 2, "stage2", blocks[1]), "stage2")  # 1/8, as P and D stay

    context = activate(stage(x, 4 * width, 2, "context3", blocks[2]), "context3")  # 1/16
    detail = _guided(stage(x, 2 * width, 1, "detail3"), context, width, "detail3")
    border = _informed(basic_block(x, width, 1, "border3"), context, "border3")
    early_detail = detail

    context = activate(stage(context, 8 * width, 2, "context4", blocks[3]), "context4")  # 1/32
    detail = stage(activate(detail, "detail3"), 2 * width, 1, "detail4")
    detail = _guided(detail, context, width, "detail4")
    border = _informed(
        bottleneck(activate(border, "border3"), width, 1, "border4"), context, "border4"
    )
    early_border = border

    detail = bottleneck(activate(detail, "detail4"), 2 * width, 1, "detail5")
    border = bottleneck(activate(border, "border4"), 2 * width, 1, "border5")
    context = bottleneck(context, 8 * width, 2, "context5_block0")  # 1/64
    context = bottleneck(context, 8 * width, 1, "context5_block1")
    context = pyramid(context, 3 * width, 4 * width, "pyramid", cascaded=False)
    context = ResizeLike(name="pyramid_upsample")([context, detail])

    x = _fused(detail, context, border, "fusion")
    main = head(x, 4 * width, image, "head")
    early: tuple = ()
    if auxiliary:
        early = (
            [head(early_detail, 4 * width, image, "aux0", "aux0_logits")],
            head(early_border, width, image, "boundary", "boundary_logits"),
        )
    return keras.Model(image, heads(num_classes, main, *early), name="pidnet")


@keras.saving.register_keras_serializable("semseg")
class Agreement(keras.layers.Layer):
    """How well two features agree at each place: the sigmoid of their dot product."""

    def call(self, inputs: list) -> Any:
        """Compares two features [N, H, W, C]; returns [N, H, W, 1], 0..1."""
        first, second = inputs
        return ops.sigmoid(ops.sum(first * second, axis=-1, keepdims=True))

    def compute_output_shape(self, shapes: list[tuple]) -> tuple:
        """Has one channel."""
        return (*shapes[0][:3], 1)


def _guided(detail: Any, context: Any, width: int, name: str) -> Any:
    """Pixel-attention-guided fusion (Pag): takes from the context where both agree."""
    context = conv_norm(context, detail.shape[-1], 1, f"{name}_compress", activation=None)
    key = conv_norm(detail, width, 1, f"{name}_key", activation=None)
    query = conv_norm(context, width, 1, f"{name}_query", activation=None)
    query = ResizeLike(name=f"{name}_query_upsample")([query, detail])
    context = ResizeLike(name=f"{name}_upsample")([context, detail])
    attention = Agreement(name=f"{name}_agreement")([key, query])
    change = keras.layers.Subtract(name=f"{name}_difference")([context, detail])
    change = keras.layers.Multiply(name=f"{name}_attended")([change, attention])
    return keras.layers.Add(name=f"{name}_fused")([detail, change])


def _informed(border: Any, context: Any, name: str) -> Any:
    """Adds the context to the D branch."""
    context = conv_norm(context, border.shape[-1], 3, f"{name}_compress", activation=None)
    context = ResizeLike(name=f"{name}_upsample")([context, border])
    return keras.layers.Add(name=f"{name}_fused")([border, context])


def _fused(detail: Any, context: Any, border: Any, name: str) -> Any:
    """Light boundary-attention-guided fusion (Light-Bag): detail at boundaries, else context."""
    width = detail.shape[-1]
    attention = keras.layers.Activation("sigmoid", name=f"{name}_attention")(border)
    inner = keras.layers.Multiply(name=f"{name}_context_at_border")([attention, context])
    inner = keras.layers.Subtract(name=f"{name}_context_inside")([context, inner])
    inner = keras.layers.Add(name=f"{name}_detail_add")([detail, inner])
    outer = keras.layers.Multiply(name=f"{name}_detail_at_border")([attention, detail])
    outer = keras.layers.Add(name=f"{name}_context_add")([context, outer])
    inner = conv_norm(inner, width, 1, f"{name}_detail", activation=None)
    outer = conv_norm(outer, width, 1, f"{name}_context", activation=None)
    return keras.layers.Add(name=f"{name}_add")([inner, outer])
