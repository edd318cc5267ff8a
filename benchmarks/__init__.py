"""Benchmarks: time and memory compared with other libraries, as ratios within one run. Not in the wheel."""
