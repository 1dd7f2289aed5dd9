"""What TorchServe hands to the functions of a model beside a request."""

from __future__ import annotations


class Context:
    """As much of it as is used."""

    status = 200

    def set_response_status(self, code: int, phrase: str) -> None:
        self.status = code
