"""DDRNet-23-slim, a real-time network of two branches that exchange their features.

Source: Hong et al., "Deep Dual-resolution Networks for Real-time and Accurate Semantic
Segmentation of Road Scenes", 2021 (arXiv 2101.06085), figures 3 to 5.
"""

from typing import Any

import keras

from semseg.networks.blocks import activate, conv_norm, image_input, norm, norm_conv
from semseg.networks.dual_resolution import bottleneck, head, pyramid, stage
from semseg.networks.heads import NumClasses, heads, resized
from semseg.networks.layers import ResizeLike


def ddrnet(
    num_classes: NumClasses,
    *,
    channels: int = 3,
    width: int = 32,
    blocks: tuple[int, int, int, int] = (2, 2, 2, 2),
    skip_widths: tuple[int, ...] = (),
    auxiliary: bool = False,
) -> keras.Model:
    """Builds the network.

    Args:
      num_classes: number of classes, or of each head.
      channels: channels of the input.
      width: channels after the first convolution; 32 is the published "slim".
      blocks: residual blocks at 1/4, 1/8, 1/16 and 1/32 of the image, where the context branch is;
        the detail branch has two beside each of the last two.
      skip_widths: channels of further fusions, with the features at 1/4 and then at 1/2 of the
        image, which thin objects need where images are small; none as published.
      auxiliary: add the paper's auxiliary output, on the 1/8 features after the first exchange.

    Returns:
      A model from images [N, H, W, channels], 0..255 and of any size, to logits
      [N, H, W, num_classes], see ``heads``.

    Raises:
      ValueError: there are more skips than finer features.
    """
    if len(skip_widths) > 2:
        raise ValueError(f"skip_widths has {len(skip_widths)} widths, expected at most 2")
    image, x = image_input(channels)
    half = x = conv_norm(x, width, 3, "stem0", strides=2)
    x = conv_norm(x, width, 3, "stem1", strides=2)
    quarter = x = stage(x, width, 1, "stage1", blocks[0])
    x = stage(activate(x, "stage1"), 2 * width, 2, "stage2", blocks[1])
    x = activate(x, "stage2")  # 1/8

    context = stage(x, 4 * width, 2, "context3", blocks[2])  # 1/16
    detail = stage(x, 2 * width, 1, "detail3")  # 1/8, and stays there
    context, detail = _exchange(context, detail, (4 * width,), "exchange3")
    early = detail
    context = stage(activate(context, "context3"), 8 * width, 2, "context4", blocks[3])  # 1/32
    detail = stage(activate(detail, "detail3"), 2 * width, 1, "detail4")
    context, detail = _exchange(context, detail, (4 * width, 8 * width), "exchange4")

    detail = bottleneck(activate(detail, "detail4"), 2 * width, 1, "detail5")
    context = bottleneck(activate(context, "context4"), 8 * width, 2, "context5")  # 1/64
    context = pyramid(context, 4 * width, 4 * width, "pyramid", cascaded=True)
    context = ResizeLike(name="pyramid_upsample")([context, detail])
    x = keras.layers.Add(name="fusion_add")([detail, context])
    if skip_widths:
        for index, skip_width in enumerate(skip_widths):
            x = _skip(x, (quarter, half)[index], skip_width, f"skip{index}")
        main = resized(norm(x, "logits", "relu"), image)
    else:
        main = head(x, 2 * width, image, "head")
    extra = [head(early, 2 * width, image, "aux0", "aux0_logits")] if auxiliary else []
    return keras.Model(image, heads(num_classes, main, extra), name="ddrnet")


def _exchange(context: Any, detail: Any, widths: tuple[int, ...], name: str) -> tuple[Any, Any]:
    """Adds each branch to the other: bilateral fusion.

    ``widths`` are those of the convolutions of stride 2 from the detail to the context branch.
    """
    up = conv_norm(
        activate(context, f"{name}_up"), detail.shape[-1], 1, f"{name}_compress", activation=None
    )
    up = ResizeLike(name=f"{name}_upsample")([up, detail])
    down = activate(detail, f"{name}_down")
    for index, width in enumerate(widths):
        is_last = index == len(widths) - 1
        down = conv_norm(
            down, width, 3, f"{name}_down{index}", strides=2, activation=None if is_last else "relu"
        )
    context = keras.layers.Add(name=f"{name}_context")([context, down])
    return context, keras.layers.Add(name=f"{name}_detail")([detail, up])


def _skip(x: Any, finer: Any, width: int, name: str) -> Any:
    """Joins features with finer ones."""
    x = ResizeLike(name=f"{name}_upsample")([norm_conv(x, width, 1, f"{name}_reduce"), finer])
    finer = norm_conv(finer, width, 1, f"{name}_finer")
    x = keras.layers.Add(name=f"{name}_add")([x, finer])
    return norm_conv(x, width, 3, f"{name}_fuse")
