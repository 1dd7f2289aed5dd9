"""How everything we make in an account can be found again, and told from what is not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from launch.requests.request import Request, canonical_sha256

PROJECT = {"project": "dogbreed"}
# The hash of what was asked: whether what is there under a name is what would be made under it.
OF_REQUEST = "dogbreed:request"


def tags_by_key(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Tags as answers write them.

    >>> tags_by_key([{"Key": "project", "Value": "dogbreed"}])
    {'project': 'dogbreed'}
    """
    return {tag["Key"]: tag["Value"] for tag in tags}


def are_ours(tags: Mapping[str, str]) -> bool:
    """Whether these are tags of something of the project's.

    >>> are_ours({"project": "dogbreed", "team": "dogs"}), are_ours({"team": "dogs"})
    (True, False)
    """
    return PROJECT.items() <= tags.items()


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]] | None:
    """As requests write them; None for none.

    >>> tag_list({"project": "dogbreed"})
    [{'Key': 'project', 'Value': 'dogbreed'}]
    """
    return [{"Key": key, "Value": value} for key, value in tags.items()] or None


def named_by_content(
    make: Callable[[str, Mapping[str, str]], Request], tags: Mapping[str, str], versions: Sequence[str] = ()
) -> Request:
    """The request whose name and tag tell what it asks for: asked for again, it finds what is there.

    Args:
        make: the request of a name and tags.
        tags: beside the project's own.
        versions: of what is in S3 under names that the request says, and may be overwritten; empty ones count for
            nothing.
    """
    sha256 = canonical_sha256(make("dogbreed", tags).parameters)
    if known := [version for version in versions if version]:
        sha256 = canonical_sha256({"request": sha256, "versions": known})
    return make(f"dogbreed-{sha256[:12]}", {**tags, **PROJECT, OF_REQUEST: sha256})
