# Training on an NVIDIA GPU: the image of train.Dockerfile and CUDA's libraries, which pip brings.
# The host needs NVIDIA's driver and container toolkit, not CUDA.
#   docker build -t semseg -f docker/train.Dockerfile . && docker build -t semseg:gpu -f docker/train_gpu.Dockerfile .
#   docker run --rm -it --gpus all -v /path/to/camvid:/data -v "$PWD/runs:/runs" semseg:gpu \
#       scripts/train.py --config config/experiments/camvid_fast_scnn.yaml --root /data --workdir /runs/first
ARG BASE=semseg:latest
# hadolint ignore=DL3006
FROM ${BASE}

# Both builds of TensorFlow have the same files: the one for the CPU must go first.
RUN .venv/bin/python -m pip uninstall -y tensorflow-cpu \
    && .venv/bin/python -m pip install --no-cache-dir -c requirements/constraints.txt -r requirements/gpu.txt
