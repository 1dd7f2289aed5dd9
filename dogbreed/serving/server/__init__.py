"""A model behind HTTP on this machine, by the contract of SageMaker's containers.

Starlette on uvicorn: an exchange costs them half a millisecond where a network takes tens, and all can be bounded that
has to be (LitServe 0.2.19 bounds neither its queue nor bodies, and counts a request for ever whose handler raised).
"""
