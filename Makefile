# Short names for the tasks of run.py, which works on every system without make.
.DEFAULT_GOAL := help
PYTHON ?= python3
TASKS := demo test lint types imports docs check bench coverage parity-tests fuzz long peers

.PHONY: help $(TASKS)

help:
	@echo "make <task>, one of: $(TASKS)"
	@echo "more options for a task: make test ARGS='-k gate'"

$(TASKS):
	@$(PYTHON) run.py $@ $(ARGS)
