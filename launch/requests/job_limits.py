"""What no job can be set to, said in one sentence before anything is sent.

Sizes and exclusions are those that AWS publishes with its API; what a field can hold besides is checked by
`launch.requests.validation`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_type_hints

from dogbreed.errors import ConfigError
from launch.requests.instances import is_instance_type, processor
from launch.requests.prices import PRICES
from launch.requests.tags import OF_REQUEST, PROJECT
from launch.shipping.secret_patterns import secret_in

if TYPE_CHECKING:
    from launch.requests.job_settings import JobSettings

DAY = 86_400
RANGES: dict[str, tuple[int, int]] = {
    "instance_count": (1, 100),
    "volume_gb": (1, 16_384),
    "max_run_seconds": (60, 28 * DAY),
    "max_wait_seconds": (60, 30 * DAY),
    "max_pending_seconds": (1800, 28 * DAY),
    "retries": (0, 30),
    "keep_alive_seconds": (0, 21_600),
}
INPUT_MODES = ("File", "FastFile")
MOST_PREFERENCES = 5
# Those that cleaning up goes by; a user's would lead it astray.
OWN_TAGS = (*PROJECT, OF_REQUEST)
PREFIX = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
SECRET_NAME = re.compile(
    r"(^|_)(TOKENS?|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|(ACCESS|API|PRIVATE|SECRET)_?KEY)(_|$)|(?<!KMS)_KEY$",
    re.IGNORECASE,
)
KINDS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    bool: ("true or false", lambda value: isinstance(value, bool)),
    int: ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    str: ("a text", lambda value: isinstance(value, str) and value != ""),
    Sequence[str]: (
        "a list of texts",
        lambda value: isinstance(value, Sequence) and not isinstance(value, str) and all(map(_is_text, value)),
    ),
    Mapping[str, int]: (
        "names with whole numbers",
        lambda value: isinstance(value, Mapping) and all(isinstance(number, int) for number in value.values()),
    ),
    Mapping[str, str]: (
        "names with texts",
        lambda value: isinstance(value, Mapping) and all(map(_is_text, [*value, *value.values()])),
    ),
}


def check_kinds(settings: JobSettings) -> None:
    """Each setting is of its kind.

    Raises:
        ConfigError: one is not.
    """
    hints = get_type_hints(type(settings))
    for name in (field.name for field in fields(settings)):
        hint, value = hints[name], getattr(settings, name)
        if hint not in KINDS:
            # What may also be left out.
            if value is None:
                continue
            (hint,) = (kind for kind in hint.__args__ if kind is not type(None))
        expected, fits = KINDS[hint]
        if not fits(value):
            raise ConfigError(f"Expected job.{name} to be {expected}, got {value!r}.")


def check_ranges(settings: JobSettings) -> None:
    """Each number is within what AWS takes.

    Raises:
        ConfigError: one is not.
    """
    for name, (least, most) in RANGES.items():
        value = getattr(settings, name)
        if value is not None and not least <= value <= most:
            raise ConfigError(f"Expected job.{name} to be {least} at least and {most} at most, got {value}.")


def check_instance_types(names: Sequence[str]) -> None:
    """Each is a name that a type could have, and none of them twice.

    Raises:
        ConfigError: one is not; the nearest known is offered.
    """
    for name in names:
        if not is_instance_type(name):
            near = get_close_matches(name, PRICES, n=1, cutoff=0)[0]
            raise ConfigError(
                f"Expected job.instance_type to be like ml.g4dn.xlarge, got {name!r}; the nearest is {near}."
            )
    if len(set(names)) < len(names) or len(names) > MOST_PREFERENCES:
        raise ConfigError(
            f"SageMaker chooses among {MOST_PREFERENCES} instance types at most, each of them once, got "
            f"{', '.join(names)}; shorten job.instance_preferences."
        )
    if len(kinds := {processor(name) for name in names}) > 1:
        raise ConfigError(
            f"One image serves all instance types of a job, and {', '.join(names)} need "
            f"those of {' and '.join(sorted(kinds))}; choose job.instance_preferences that compute alike."
        )


def check_texts(settings: JobSettings) -> None:
    """Texts that have a form: input mode, prefix, tags, environment.

    Raises:
        ConfigError: one has not, or looks like a secret.
    """
    if settings.input_mode not in INPUT_MODES:
        raise ConfigError(
            f"Expected job.input_mode to be one of {', '.join(INPUT_MODES)}, got {settings.input_mode!r}."
        )
    if not PREFIX.fullmatch(settings.prefix):
        raise ConfigError(
            f"Expected job.prefix to be folders of letters, digits, dots, hyphens and underscores, got "
            f"{settings.prefix!r}."
        )
    for name in settings.tags:
        if name in OWN_TAGS or name.lower().startswith("aws:"):
            raise ConfigError(
                f"The tag {name} is not yours to set: cleaning up, or AWS, goes by it; rename it in job.tags."
            )
    for name, value in settings.environment.items():
        if SECRET_NAME.search(name) or secret_in(value.encode()):
            raise ConfigError(
                f"job.environment.{name} looks like a secret, and whoever may describe the job can read it there; "
                "keep it in AWS Secrets Manager and let the job's role read it."
            )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
