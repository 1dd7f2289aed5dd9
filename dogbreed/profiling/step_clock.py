"""The spans of a training step, from what Lightning's loop says it does."""

from __future__ import annotations

import re
import time

from dogbreed.profiling.phases import BACKWARD, BETWEEN, CHECKPOINT, DATA, FORWARD, OPTIMIZER, STEP, Phase, Span

# What Lightning calls what it does, and what that is.
ACTIONS: tuple[tuple[re.Pattern[str], Phase], ...] = (
    (re.compile(r"\.train_dataloader_next$"), DATA),
    (re.compile(r"^\[Strategy\].*\.training_step$"), FORWARD),
    (re.compile(r"^\[Strategy\].*\.backward$"), BACKWARD),
    (re.compile(r"^\[LightningModule\].*\.optimizer_step$"), OPTIMIZER),
    (re.compile(r"^save_checkpoint$"), CHECKPOINT),
)


class StepClock:
    """Collects the spans of the step under way."""

    def __init__(self) -> None:
        # One clock that is never set, from the time of day at the start.
        self._offset = time.time() - time.perf_counter()
        self._phases: dict[str, Phase | None] = {}
        self._begun: dict[Phase, float] = {}
        self._taken: list[tuple[Phase, float, float]] = []
        self._asked: float | None = None
        self._computed = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return self._offset + time.perf_counter()

    def begin(self, action: str) -> None:
        """Lightning begins something."""
        if (phase := self._phase(action)) is not None:
            self._begun[phase] = self.now()
            if phase is DATA:
                self._asked = self._begun[phase]

    def end(self, action: str) -> None:
        """Lightning has ended something."""
        if (phase := self._phase(action)) is None or phase not in self._begun:
            return
        begun, ended = self._begun.pop(phase), self.now()
        # Lightning's optimizer step holds forward and backward pass, in a closure.
        self.add(phase, max(begun, self._computed) if phase is OPTIMIZER else begun, ended)
        if phase in (FORWARD, BACKWARD):
            self._computed = ended

    def add(self, phase: Phase, begun: float, ended: float) -> None:
        """Add what was done; its step is told when it is taken."""
        self._taken.append((phase, begun, ended))

    def take(self, step: int, *, whole: bool) -> list[Span]:
        """What was collected since the last time: a whole step, or only what lay between two.

        Args:
            step: its number.
            whole: whether it was done to its end; the parts of one that was not are forgotten.
        """
        if whole and self._asked is not None:
            self.add(STEP, self._asked, self.now())
            self._asked = None
        spans, self._taken = [Span(*taken, step) for taken in self._taken], []
        return spans if whole else [span for span in spans if span.phase in BETWEEN.values()]

    def _phase(self, action: str) -> Phase | None:
        # Lightning names the same few dozen things in every step.
        if action not in self._phases:
            self._phases[action] = next((phase for name, phase in ACTIONS if name.search(action)), None)
        return self._phases[action]
