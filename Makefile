# Short names for the tasks of run.py, which works on every system without make.
.DEFAULT_GOAL := help
PYTHON ?= python3
TASKS := demo test lint types imports docs check bench coverage parity-tests fuzz simulation \
	simulate kills kill long peers
SEEDS ?= 0:500

.PHONY: help $(TASKS)

help:
	@echo "make <task>, one of: $(TASKS)"
	@echo "more options for a task: make test ARGS='-k gate', make simulate SEEDS=0:2000"

simulate: ARGS = --seeds $(SEEDS)

$(TASKS):
	@$(PYTHON) run.py $@ $(ARGS)
