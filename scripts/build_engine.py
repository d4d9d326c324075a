#!/usr/bin/env python3
"""Builds the TensorRT engine of a frozen graph on this machine, for engine onnxruntime."""

from semseg import command_line


def main():
    parser = command_line.parser(
        __doc__, "scripts/build_engine.py --model models/town_full.pb --precision float16"
    )
    add = parser.add_argument
    add("--model", required=True, help="profile or graph with its .onnx beside it")
    add("--precision", default="float32", choices=["float32", "float16"],
        help="what it computes in (default: %(default)s)")  # fmt: skip
    add("--size", type=command_line.size, metavar="HxW", help="size of the network's input")
    args = parser.parse_args()

    from semseg.profiles import model_path
    from semseg.runtime.engine_building import build_engine

    print(f"built {build_engine(model_path(args.model), args.precision, args.size)}")


if __name__ == "__main__":
    command_line.run(main)
