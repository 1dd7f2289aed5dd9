"""One model behind several servers, for `serving.py`."""
