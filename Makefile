# Two commands for a fresh machine: `make demo` and `make test`. Each sets up what it needs.
.PHONY: help setup demo quick test test-all fresh release lint clean
GUI ?= false
COMMAND ?= make demo
LINTERS = lint-ruff lint-format lint-mypy lint-imports lint-catkin lint-docker
.PHONY: $(LINTERS)

help:            ## what there is
	@sed -n 's/^\([a-z-]*\): *\(.*\)## */  make \1\t/p' $(MAKEFILE_LIST)

setup:           ## system packages, .venv and a private catkin workspace
	@tools/set_up

demo: setup      ## bag of the synthetic town -> rosbag play -> labels, compared with the truth (GUI=true opens RViz)
	@if [ "$(GUI)" = true ]; then tools/set_up rviz; fi
	@tools/with_ros python scripts/demo.py --output demo_output --gui $(GUI)

quick:           ## the unit tests and rules that need neither TensorFlow nor ROS (less than a minute)
	@tools/set_up system venv
	@tools/run_tests quick

test: setup      ## lint, then one case of each kind, on ROS, JAX and the robot's Python too (less than ten minutes on two cores)
	@tools/run_tests

test-all: setup  ## every case
	@tools/run_tests all

fresh:           ## COMMAND="make demo" on a new Debian 12 root with nothing but git, make and python3 (as root)
	@tools/fresh_machine $(COMMAND)

release: test    ## the version of package.xml: changelog section, commit and tag, after all tests
	@tools/release

lint: $(LINTERS) ## ruff, types, import rules, catkin, Dockerfiles; -k goes on after the first that fails
lint-ruff:
	@tools/with_ros ruff check . tools/release
lint-format:
	@tools/with_ros ruff format --check . tools/release
lint-mypy:
	@tools/with_ros mypy
lint-imports:
	@tools/with_ros lint-imports
lint-catkin:
	@tools/with_ros catkin_lint -q -W2 --strict .catkin_ws/src/semseg
lint-docker:
	@tools/with_ros hadolint docker/*.Dockerfile

clean:           ## removes what set-up and the commands made
	@tools/set_up clean
	rm -rf demo_output
