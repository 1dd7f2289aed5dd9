"""What a job installs beside what its image has: the very versions that run here."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from dogbreed.errors import ConfigError

# What the image has and must keep, and why.
KEPT = {
    "torch": "is built for the image's CUDA, and all that the image has is built for it",
    "torchvision": "is built for the image's torch",
    "numpy": "is what the image's compiled packages were built for",
    "pillow": "is what the image's torchvision was tried with",
    "typing-extensions": "comes with the image's torch",
}
# The optional parts of dogbreed that a job can have.
GROUPS = ("timm", "openvino", "profiler")
# Parts that pip cannot bring there, or that a job has no use for.
OTHER_GROUPS = ("debugger", "dev", "export", "launch", "parquet", "serve", "tuning")
SCHEMES = ("https", "git+https")


def pinned_requirements(extra: Sequence[str] = ()) -> list[str]:
    """The lines of a job's requirements.txt, sorted by name.

    Args:
        extra: names of dogbreed's optional parts (`GROUPS`), and requirements of one's own as pip writes them. One that
            names a package and no version gets the version installed here, if there is one; one that names a package
            dogbreed needs takes the place of its line.

    Raises:
        ConfigError: a line that is no requirement, a URL that is not public or not encrypted, a package that the image
            must keep, or one that dogbreed needs and that is not installed here.
    """
    needed = [*_of_dogbreed(), *(line for name in GROUPS if name in extra for line in _of_dogbreed(name))]
    lines = {canonicalize_name(found.name): _pinned(found) for found in needed}
    for line in extra:
        if line not in GROUPS:
            own = _own(line)
            lines[canonicalize_name(own.name)] = str(own)
    return [lines[name] for name in sorted(lines) if name not in KEPT]


def _of_dogbreed(group: str = "") -> list[Requirement]:
    """What the installed dogbreed says that it needs, or that its optional part needs beyond that."""
    try:
        found = [Requirement(line) for line in metadata.requires("dogbreed") or []]
    except metadata.PackageNotFoundError as error:
        raise ConfigError("Expected dogbreed to be installed, found its source alone: pip install -e .") from error
    base = {line.name for line in found if _applies(line, "")}
    return [line for line in found if _applies(line, group) and (not group or line.name not in base)]


def _applies(requirement: Requirement, group: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": group})


def _pinned(requirement: Requirement) -> str:
    name = canonicalize_name(requirement.name)
    if (version := _version_here(name)) is None:
        raise ConfigError(
            f"Expected {name} to be installed, since a job gets the versions that run here: pip install {requirement}"
        )
    return f"{name}=={version}"


def _version_here(name: str) -> str | None:
    try:
        # What follows a plus names a build, which the index does not have.
        return metadata.version(name).split("+")[0]
    except metadata.PackageNotFoundError:
        return None


def _own(line: str) -> Requirement:
    """A requirement that the user wrote."""
    if line in OTHER_GROUPS:
        raise ConfigError(f"A job has no use for dogbreed's optional part {line!r}; choose from {', '.join(GROUPS)}.")
    try:
        requirement = Requirement(line) if line.isprintable() else None
    except InvalidRequirement:
        requirement = None
    if requirement is None:
        raise ConfigError(
            f"Expected a requirement such as timm==1.0.15, got {_shown(line)!a}: neither options of pip nor files."
        )
    name = canonicalize_name(requirement.name)
    if name in KEPT:
        raise ConfigError(f"A job keeps the {name} of its image, which {KEPT[name]}; leave {_shown(line)!a} out.")
    _check_url(name, requirement.url)
    if not requirement.url and not requirement.specifier and (version := _version_here(name)):
        requirement.specifier &= f"=={version}"
    return requirement


def _check_url(name: str, url: str | None) -> None:
    if url is None:
        return
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ConfigError(f"Expected {name} from a URL with {' or '.join(SCHEMES)}, got {parts.scheme or 'none'}.")
    if "@" in parts.netloc or parts.query or "$" in url:
        raise ConfigError(
            f"Expected {name} from a public URL, got one with a name, a password or a token, which everyone who may "
            "read the bucket would see."
        )


def _shown(line: str) -> str:
    """A line for a message: without what may be a password in it."""
    return "…@".join([line.split("//")[0], line.rsplit("@", 1)[1]]) if "//" in line and "@" in line else line
