# Everything on Debian 12, as `make test` has it: training and inference on the CPU, ROS, all tests.
#   docker build -t semseg -f docker/train.Dockerfile .
#   docker run --rm -it -v /path/to/camvid:/data -v "$PWD/runs:/runs" semseg \
#       scripts/train.py --config config/experiments/camvid_fast_scnn.yaml --root /data --workdir /runs/first
# Its commands are steps of tools/set_up, which `make test` runs on Debian 12.
FROM debian:12-slim

WORKDIR /semseg
COPY requirements requirements
COPY tools tools
RUN tools/set_up system
COPY . .
RUN tools/set_up venv workspace

ENTRYPOINT ["/semseg/tools/with_ros"]
CMD ["bash"]
