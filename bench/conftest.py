"""Programs that import what this environment does not hold are no benchmarks to collect."""

collect_ignore = ["peers", "real_time.py"]
