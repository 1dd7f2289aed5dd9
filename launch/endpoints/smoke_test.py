"""An endpoint has to answer about a photo before it is called ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import PassingCloudError
from launch.endpoints.invocation import Clients, ask
from launch.endpoints.photo_payload import Payload, drawn_payload, photo_payload
from launch.endpoints.served_endpoint import Served

# A serverless endpoint that begins anew may need longer than a caller waits.
ATTEMPTS, PAUSE_SECONDS = 3, 10.0
DRAWN = "a drawn dog"


def smoke_payload(photo: Path | None, largest: int) -> Payload:
    """The photo that is asked about; a drawn one where none was given.

    Raises:
        DataError: no photo, or a damaged one.
    """
    return photo_payload(photo, largest) if photo else drawn_payload()


def smoke_test(
    clients: Clients,
    endpoint: Served,
    payload: Payload,
    class_names: tuple[str, ...] | None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Mapping[str, Any]:
    """The most probable breed of a photo.

    Args:
        clients: of the endpoint.
        endpoint: in service.
        payload: the photo.
        class_names: of the model that was deployed, in its order; None where they are not known.
        sleep: for so many seconds.

    Raises:
        CloudError: it does not answer, or as another model does.
    """
    best = _answer(clients, endpoint, payload, sleep)[0]
    known = class_names is None or best["label"] == dict(enumerate(class_names)).get(best["index"])
    if not known or not 0 <= best["probability"] <= 1:
        raise CloudError(f"It answers as another model does: {best['label']} ({best['index']}), {best['probability']}.")
    return best


def _answer(
    clients: Clients, endpoint: Served, payload: Payload, sleep: Callable[[float], None]
) -> list[dict[str, Any]]:
    for number in range(1, ATTEMPTS + 1):
        try:
            return ask(clients, endpoint, payload, sleep=sleep)
        except PassingCloudError:
            if number == ATTEMPTS:
                raise
            sleep(PAUSE_SECONDS)
    return []
