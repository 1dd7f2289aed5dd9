"""Whether a `model.tar.gz` can be served: looked through from its beginning to its end, without unpacking it."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

from dogbreed.artifact_card import JSON_FILE, WEIGHTS_FILE, other_weights, read_card, weights_sha256
from dogbreed.errors import ArtifactError
from launch.shipping.tar_stream import Archive, DamageError

# By the server of the endpoint: the file that it begins with.
ENTRIES = {"torchserve": "code/inference.py", "ray": "code/ray_app.py"}
# Of an archive that somebody else may have made: what would be unpacked in the container.
MAX_MEMBERS, MAX_BYTES, MAX_CARD_BYTES = 10_000, 8 * 2**30, 64 * 2**20


def checked_archive(stream: IO[bytes], uri: str, server: str) -> dict[str, Any]:
    """Look through an archive from its beginning to its end, without unpacking it.

    Args:
        stream: of its bytes.
        uri: where it is, for messages.
        server: of the endpoint.

    Returns:
        The model's JSON.

    Raises:
        ArtifactError: it is damaged, holds no model of ours, or lacks the code that would serve it.
    """
    found = dict[str, Any]()
    try:
        for number, (member, content) in enumerate(Archive(_unzipped(stream), MAX_BYTES).members(), 1):
            if number > MAX_MEMBERS:
                raise DamageError(f"it has more than {MAX_MEMBERS:,} files")
            found[member.name] = LOOKED_AT.get(member.name, _passed_over)(content)
    except (DamageError, EOFError, OSError, zlib.error) as error:
        raise ArtifactError(f"Expected {uri} to be a model.tar.gz, it cannot be read: {error}.") from error
    if lacking := [name for name in (JSON_FILE, WEIGHTS_FILE, ENTRIES[server]) if name not in found]:
        others = [f"endpoint.server={other}" for other, entry in ENTRIES.items() if entry in found]
        instead = f", or choose {others[0]}, whose code it has" if others and lacking == [ENTRIES[server]] else ""
        raise ArtifactError(
            f"{uri} cannot be served: it has no {lacking[0]}, but {', '.join(sorted(found)[:4]) or 'nothing'}. Deploy "
            f"the model's folder instead, model=OUTPUT_DIR/model: its code is added then{instead}."
        )
    card = read_card(found[JSON_FILE], uri)
    if found[WEIGHTS_FILE] != weights_sha256(card):
        raise other_weights(uri)
    return card


def _unzipped(stream: IO[bytes]) -> IO[bytes]:
    return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]


def _passed_over(content: Iterator[bytes]) -> None:
    for _ in content:
        pass


def _hashed(content: Iterator[bytes]) -> str:
    hashed = hashlib.sha256()
    for block in content:
        hashed.update(block)
    return hashed.hexdigest()


def _whole(content: Iterator[bytes]) -> bytes:
    blocks, size = [], 0
    for block in content:
        size += len(block)
        if size > MAX_CARD_BYTES:
            raise DamageError(f"{JSON_FILE} is longer than {MAX_CARD_BYTES >> 20} MiB")
        blocks.append(block)
    return b"".join(blocks)


# The JSON's bytes, the hash of the weights; nothing of others.
LOOKED_AT: dict[str, Callable[[Iterator[bytes]], Any]] = {JSON_FILE: _whole, WEIGHTS_FILE: _hashed}
