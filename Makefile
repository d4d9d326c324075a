# Two commands for a fresh machine: `make demo` and `make test`. Each sets up what it needs.
.PHONY: help setup demo test test-all lint types clean
GUI ?= false
PYTEST = tools/with_ros python -m pytest

help:            ## what there is
	@sed -n 's/^\([a-z-]*\): *\(.*\)## */  make \1\t/p' $(MAKEFILE_LIST)

setup:           ## system packages, .venv and a private catkin workspace
	@tools/set_up

demo: setup      ## bag of the synthetic town -> rosbag play -> labels, compared with the truth (GUI=true opens RViz)
	@if [ "$(GUI)" = true ]; then tools/set_up rviz; fi
	@tools/with_ros python scripts/demo.py --output demo_output --gui $(GUI)

test: setup      ## lint, then one case of each kind, on ROS, JAX and the robot's Python too (about 17 minutes on two cores)
	@tools/set_up robot jax
	@$(MAKE) --no-print-directory lint
	@$(PYTEST) -m "not slow" tests
	@tools/run_rostests

test-all: setup  ## every case
	@tools/set_up robot jax browser
	@$(MAKE) --no-print-directory lint
	@$(PYTEST) tests
	@SEMSEG_SLOW_TESTS=1 tools/run_rostests

lint:            ## ruff, types, import rules, catkin, Dockerfiles
	@tools/with_ros ruff check .
	@tools/with_ros ruff format --check .
	@tools/with_ros mypy
	@tools/with_ros lint-imports
	@tools/with_ros catkin_lint -q -W2 --strict .catkin_ws/src/semseg
	@tools/with_ros hadolint docker/*.Dockerfile

clean:           ## removes what set-up and the commands made
	rm -rf .setup .venv .venv-jax .venv-robot .catkin_ws demo_output
