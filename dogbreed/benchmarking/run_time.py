"""How long runs will take, from what was measured of their parts."""

from __future__ import annotations

from dataclasses import dataclass

EPOCHS = 10


@dataclass(frozen=True)
class Speeds:
    """Images a second of the parts of a run, and what they share.

    Attributes:
        core: loading, on one core.
        loading: by all workers.
        forward: of the frozen part.
        step: of training everything.
        head: of training the head on features.
        cores: that this process may use.
        on_processor: whether loading and computing share the cores.
    """

    core: float
    loading: float
    forward: float
    step: float
    head: float
    cores: int
    on_processor: bool

    def together(self, compute: float) -> float:
        """Images a second where photos are loaded for what computes `compute` images a second.

        >>> Speeds(100.0, 100.0, 0.0, 0.0, 0.0, cores=2, on_processor=True).together(200.0)
        100.0
        >>> Speeds(100.0, 300.0, 0.0, 0.0, 0.0, cores=4, on_processor=False).together(200.0)
        200.0
        """
        at_once = 1 / compute + 1 / (self.core * self.cores) if self.on_processor else 1 / compute
        return 1 / max(1 / self.loading, at_once)


def run_times(speeds: Speeds, train: int, val: int, epochs: int = EPOCHS) -> dict[str, float]:
    """Seconds that training takes, by the kind of run; what comes before and after it is not counted.

    Args:
        speeds: as measured.
        train: how many training photos there are.
        val: how many validation photos.
        epochs: how many epochs a run has.
    """
    looking = (train + val) / speeds.together(speeds.forward)
    heads = epochs * (train + val) / speeds.head
    epoch = train / speeds.together(speeds.step) + val / speeds.together(speeds.forward)
    return {
        "frozen backbone, the first run": looking + heads,
        "frozen backbone, again": heads,
        "everything trained": epochs * epoch,
    }
