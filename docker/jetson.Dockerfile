# The robot half on a Jetson TX2 or Nano (JetPack 4.6, L4T 32.7, Ubuntu 18.04, Python 3.6, CUDA 10.2).
#   docker build -t semseg:jetson -f docker/jetson.Dockerfile .          on the Jetson itself
#   docker run --rm -it --runtime nvidia --net host semseg:jetson roslaunch semseg segment.launch engine:=tensorflow
#
# The base image has Noetic's ros_base compiled from source, since there are no packages of Noetic
# for Ubuntu 18.04. What this file compiles on the Jetson beside it:
#   - h5py and grpcio, which TensorFlow's wheel asks for: no wheels of them for this machine
#     (about half an hour);
#   - the messages and the service of this package (catkin_make, a minute).
# What need not be compiled: cv_bridge and image_transport (not in ros_base, and not used), numpy,
# PyYAML (wheels or Ubuntu's), and OpenCV, CUDA, cuDNN and TensorRT, which are JetPack's own.
# Do not install python3-opencv or libopencv-dev of Ubuntu's: they conflict with JetPack's OpenCV.
FROM dustynv/ros:noetic-ros-base-l4t-r32.7.1

SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# ROS was built from source: its apt source is not needed any more, and its key has expired.
# hadolint ignore=DL3008
RUN rm -f /etc/apt/sources.list.d/ros*.list \
    && apt-get update \
    && apt-get install -y --no-install-recommends \
        build-essential libhdf5-serial-dev pkg-config python3-dev python3-pip python3-setuptools python3-yaml \
    && rm -rf /var/lib/apt/lists/*

COPY requirements/jetson.txt /tmp/
RUN python3 -m pip install --no-cache-dir "pip==21.3.1" "setuptools==59.6.0" "wheel==0.37.1" \
    && python3 -m pip install --no-cache-dir "Cython==0.29.36" "pkgconfig==1.5.5" "numpy==1.19.4" \
    && H5PY_SETUP_REQUIRES=0 python3 -m pip install --no-cache-dir --no-build-isolation "h5py==3.1.0" \
    && python3 -m pip install --no-cache-dir -r /tmp/jetson.txt

WORKDIR /catkin_ws
COPY . src/semseg
RUN . "${ROS_ROOT}/setup.bash" \
    && catkin_make -DPYTHON_EXECUTABLE=/usr/bin/python3 -DCATKIN_ENABLE_TESTING=OFF

ENTRYPOINT ["/catkin_ws/devel/env.sh"]
CMD ["roslaunch", "semseg", "segment.launch", "engine:=tensorflow"]
