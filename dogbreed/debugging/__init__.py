"""See inside a run: what was recorded of it, and what that means.

Rules are pure functions of recorded series, with the names, parameters and status words of Amazon SageMaker Debugger's.
"""
