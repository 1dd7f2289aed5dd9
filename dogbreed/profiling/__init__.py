"""Where the time of a run goes: what the machine did beside it, how long its steps took, and what to change.

Files have the layout of Amazon SageMaker's profiler and can be read by its tools; rules have its names, parameters and
status words.
"""
