"""What a machine costs an hour: an estimate from a table with a date, asked of nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.requests.machines import machines
from launch.requests.request import Request

TABLE: Mapping[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
# On demand, by instance type, in US dollars an hour.
PRICES: Mapping[str, float] = TABLE["usd_an_hour"]
ESTIMATE = f"estimated from the prices of {TABLE['region']}, {TABLE['as_of']}; other regions, storage and taxes differ"


def price(instance_type: str) -> float | None:
    """What one machine costs an hour, in US dollars, on demand; None where the table does not know it.

    >>> price("ml.g4dn.xlarge")
    0.736
    """
    return PRICES.get(instance_type)


def highest_price(instance_types: Sequence[str], instance_count: int = 1) -> float | None:
    """What the machines of a job cost an hour at most, in US dollars; None where the table lacks one of them.

    >>> highest_price(["ml.g4dn.xlarge", "ml.g5.xlarge"], 2)
    2.816
    """
    prices = [price(name) for name in instance_types]
    known = [found for found in prices if found is not None]
    return instance_count * max(known) if known and len(known) == len(prices) else None


def priced(request: Request) -> list[str]:
    """What the machines of a job, or of a search's jobs, cost: lines for a terminal.

    The most is what they cost if every job takes all of its time; spot machines are counted as if they were not, since
    how much less they cost is not known before.
    """
    asked = machines(request)
    an_hour = highest_price(asked.instance_types, asked.count)
    if an_hour is None:
        unknown = next(name for name in asked.instance_types if price(name) is None)
        return [f"not known for {unknown}; see https://aws.amazon.com/sagemaker/pricing/"]
    most = "no limit" if asked.jobs is None else f"${an_hour * asked.seconds / 3600 * asked.jobs:.2f} at most"
    lines = [f"${an_hour * asked.parallel:.2f} an hour, {most}; {ESTIMATE}"]
    return lines + (["spot machines cost less; how much less is not known before"] if asked.spot else [])
