"""What is wrong with a request, as SageMaker's inference toolkits send it back."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def _toolkit_error() -> Any:
    try:
        return import_module("sagemaker_inference.errors").BaseInferenceToolkitError
    # Only TorchServe's containers have it.
    except ImportError:
        return Exception


class RequestError(ValueError, _toolkit_error()):  # type: ignore[misc]
    """A request that cannot be answered as it is: the caller's fault, not the endpoint's.

    Args:
        status: of HTTP, 400 to 499.
        message: a sentence for whoever sent it.
    """

    def __init__(self, status: int, message: str) -> None:
        ValueError.__init__(self, message)
        self.status = status
        # What the toolkit for TorchServe asks of an error; of any other it makes a 500.
        self.status_code, self.message, self.phrase = status, message, message

    def __str__(self) -> str:
        return str(self.message)
