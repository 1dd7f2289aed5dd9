"""What must never leave a machine: files by their names, and texts by what keys and tokens look like."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

NAMES = (
    ".env",
    ".env.*",
    "*.env",
    "credentials",
    "credentials.[cijtxy]*",  # csv, ini, json, toml, txt, xml, yaml; a module of that name is no secret
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.ppk",
    "*.kdbx",
    "*.jks",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".netrc",
    ".pypirc",
    ".npmrc",
    ".git-credentials",
    "kaggle.json",
)
TEXTS = {
    "an AWS access key": rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "an AWS secret key": rb"(?i)aws_?(?:secret_?access_?key|session_?token)[\"']?\s*[=:]\s*[\"']?[A-Za-z0-9/+=]{40}",
    "a private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY",
    "a GitHub token": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{36})",
    "a GitLab token": rb"\bglpat-[\w-]{20}",
    "a Hugging Face token": rb"\bhf_[A-Za-z0-9]{30}",
    "a Slack token": rb"\bxox[abeprs]-[\w-]{10}",
    "a Google key": rb"\bAIza[\w-]{35}",
    "an API key": rb"\bsk-[\w-]{32}",
    "a PyPI token": rb"\bpypi-[\w-]{50}",
    "a signed token": rb"\beyJ[\w-]{16,}\.eyJ[\w-]{16,}\.[\w-]{16,}",
    "a password in a URL": rb"://[^\s/:@\"'{}$]+:[^\s/:@\"'{}$]+@",
}
_PATTERNS = {what: re.compile(pattern) for what, pattern in TEXTS.items()}


def is_secret_name(path: str) -> bool:
    """Whether files called so hold credentials, whatever folder they lie in.

    >>> [is_secret_name(path) for path in ("conf/.env", "dogbreed/ID_RSA", "dogbreed/credentials.py")]
    [True, True, False]
    """
    name = PurePosixPath(path).name.lower()
    return any(fnmatchcase(name, pattern) for pattern in NAMES)


def secret_in(content: bytes) -> str | None:
    """What of `TEXTS` a content holds, in words that do not repeat it; None where it holds nothing of the kind.

    >>> secret_in(b"key: AKIA" + 16 * b"A")
    'an AWS access key'
    """
    return next((what for what, pattern in _PATTERNS.items() if pattern.search(content)), None)
