"""How numbers are written on the page: with the digits that they deserve, and their intervals."""

from __future__ import annotations

import math

from dogbreed.reporting.contents import Figure, Gain

UNDEFINED, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def percent(share: float | None) -> str:
    """A share in [0, 1].

    >>> percent(0.7981)
    '79.8 %'
    """
    return UNDEFINED if share is None or math.isnan(share) else f"{100 * share:.1f} %"


def number(value: float | None) -> str:
    """A value with three digits that count, or a whole number.

    >>> number(0.71234), number(8351), number(12.0)
    ('0.712', '8,351', '12')
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    if not math.isfinite(value):
        return "infinite"
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:#.3g}"


def rate(value: float) -> str:
    """A learning rate.

    >>> rate(0.001), rate(0.00032), rate(3.16e-05)
    ('0.001', '0.00032', '3.2e-05')
    """
    return f"{value:.2g}"


def value(figure: Figure) -> str:
    """A figure without its interval."""
    return percent(figure.value) if figure.unit == "%" else f"{number(figure.value)} {figure.unit}".rstrip()


def interval(figure: Figure) -> str:
    """The 95 % interval of a figure; empty where it has none.

    >>> interval(Figure("accuracy", 0.798, 0.77, 0.823))
    '77.0 to 82.3'
    """
    if figure.low is None or figure.high is None:
        return ""
    ends = [f"{100 * end:.1f}" if figure.unit == "%" else number(end) for end in (figure.low, figure.high)]
    return " to ".join(ends)


def share_with_interval(share: float | None, low: float | None, high: float | None) -> str:
    """A share and its interval.

    >>> share_with_interval(0.798, 0.77, 0.823)
    '79.8 % (77.0 to 82.3)'
    """
    if share is None or low is None or high is None:
        return percent(share)
    return f"{percent(share)} ({100 * low:.1f} to {100 * high:.1f})"


def gain(difference: Gain) -> str:
    """A gain in percentage points, and in words whether there is one.

    >>> gain(Gain(0.021, 0.008, 0.034))
    '+2.1 points (+0.8 to +3.4): the interval lies above zero, so it helps'
    """
    verdict = GAIN_VERDICTS[(difference.low > 0) - (difference.high < 0)]
    points = [f"{100 * end:+.1f}".replace("-", MINUS) for end in (difference.value, difference.low, difference.high)]
    return f"{points[0]} points ({points[1]} to {points[2]}): {verdict}"


GAIN_VERDICTS = {
    -1: "the interval lies below zero, so it harms",
    0: "the interval contains zero, so these photos show no clear gain",
    1: "the interval lies above zero, so it helps",
}


def photos(count: int) -> str:
    """A number of photos.

    >>> photos(1), photos(12)
    ('1 photo', '12 photos')
    """
    return f"{count:,} photo" if count == 1 else f"{count:,} photos"
