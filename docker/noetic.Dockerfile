# The robot half on Ubuntu 20.04 with ROS Noetic: the node, the demo, TensorFlow on the CPU.
#   docker build -t semseg:noetic -f docker/noetic.Dockerfile .
#   docker run --rm -it --net host semseg:noetic roslaunch semseg segment.launch image:=/camera/image_raw
# Noetic is no longer maintained: should apt refuse the image's ROS key as expired, renew it first.
FROM ros:noetic-ros-base-focal

WORKDIR /semseg
COPY requirements requirements
COPY tools tools
RUN tools/set_up system
COPY . .
RUN tools/set_up venv workspace

ENTRYPOINT ["/semseg/tools/with_ros"]
CMD ["roslaunch", "semseg", "segment.launch"]
