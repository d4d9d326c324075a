"""The ops that a frozen graph may use: what inference needs, and TensorFlow 1.15 has.

No op here reads or writes files, runs other code, keeps state, draws random numbers or loops.
"""

_STRUCTURE = "Const Identity IdentityN NoOp Placeholder StopGradient"

_SHAPES = """
    BatchToSpaceND BroadcastTo ConcatV2 DepthToSpace ExpandDims Fill Gather GatherNd GatherV2
    MirrorPad OnesLike Pack Pad PadV2 Range Rank Reshape ReverseV2 Roll ScatterNd Shape ShapeN Size
    Slice SpaceToBatchND SpaceToDepth Split SplitV Squeeze StridedSlice Tile Transpose Unpack
    ZerosLike
"""

_ARITHMETIC = """
    Abs Add AddN AddV2 All Any ArgMax ArgMin Cast Ceil ClipByValue Cumsum Div Equal Erf Erfc Exp
    Floor FloorDiv FloorMod Greater GreaterEqual Less LessEqual Log Log1p LogicalAnd LogicalNot
    LogicalOr Max Maximum Mean Min Minimum Mul Neg NotEqual Pow Prod RealDiv Reciprocal Round Rsqrt
    Select SelectV2 Sigmoid Sign Sqrt Square SquaredDifference Sub Sum Tanh
"""

_NETWORKS = """
    AvgPool BatchMatMul BatchMatMulV2 BiasAdd Conv2D Conv2DBackpropInput DepthwiseConv2dNative
    Dilation2D Einsum Elu FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 LRN LeakyRelu LogSoftmax
    MatMul MaxPool MaxPoolV2 MaxPoolWithArgmax Relu Relu6 ResizeArea ResizeBicubic ResizeBilinear
    ResizeNearestNeighbor ScaleAndTranslate Selu Softmax Softplus Softsign TopKV2
"""

ALLOWED_OPS = frozenset((_STRUCTURE + _SHAPES + _ARITHMETIC + _NETWORKS).split())
"""Names of the allowed ops. Graphs of PARIS-sem-seg (TensorFlow 1) are within it too."""
