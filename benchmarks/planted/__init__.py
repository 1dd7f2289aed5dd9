"""Runs with a fault in them, and healthy ones, for `benchmarks/planted_faults.py`."""
