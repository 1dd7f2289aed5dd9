"""The same job done by other programs and by ours, one module each; `compare_sides.py` runs and measures them.

Each can be called alone: `PYTHONPATH=benchmarks python -m sides.torchvision_recipe PHOTOS --weights WEIGHTS`.
"""
