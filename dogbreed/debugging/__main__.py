"""`python -m dogbreed.debugging DIR`: what the rules say of a run that was recorded."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dogbreed.command_line import run_command
from dogbreed.errors import ConfigError, DataError

if TYPE_CHECKING:
    from dogbreed.debugging.finding import Finding
    from dogbreed.debugging.recorded import Recorded

DESCRIPTION = """Ask the rules about a recorded run.

DIR is the folder of a run with debugger=full, or any trial of Amazon SageMaker Debugger's: what a job has left under
debug-output/. It may be the trial of a run that crashed."""


NUMBER = re.compile(r"[+-]?[\d.]+[eE][+-]?\d+")


def lines(findings: Iterable[Finding]) -> list[str]:
    """A line a rule, with what to change where there is an issue."""
    shown = []
    for found in findings:
        where = f" (step {found.step}{f', {found.tensor}' if found.tensor else ''})" if found.step is not None else ""
        shown.append(f"{found.status:<14} {found.rule}: {found.reason}{where}")
        shown += [f"{'':<14} {found.advice}"] if found.advice else []
    return shown


def chosen_rules(texts: Sequence[str]) -> dict[str, dict[str, Any]] | None:
    """Rules and their parameters, from `NAME` and `NAME,parameter=value`; None for none given.

    >>> chosen_rules(["Overfit,patience=3"])
    {'Overfit': {'patience': 3}}
    >>> chosen_rules(["UnchangedTensor,rtol=1e-6,collection_names=biases,equal_nan=true"])
    {'UnchangedTensor': {'rtol': 1e-06, 'collection_names': 'biases', 'equal_nan': True}}
    """
    rules: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, *settings = text.split(",")
        pairs = [setting.partition("=") for setting in settings]
        if any(not equals for _, equals, _ in pairs):
            raise ConfigError(f"Expected NAME,parameter=value, got {text!r}.")
        rules[name] = {key: _value(value) for key, _, value in pairs}
    return rules or None


def _value(text: str) -> Any:
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"Cannot read the value {text!r} of a rule's parameter.") from error
    # To YAML 1.1 `1e-6` is a text.
    return float(text) if isinstance(value, str) and NUMBER.fullmatch(text) else value


def settings() -> argparse.Namespace:
    """The command line."""
    from dogbreed.debugging.rule_table import RULES

    parser = argparse.ArgumentParser(
        prog="python -m dogbreed.debugging",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", type=Path)
    rules = f"only these rules, of: {', '.join(RULES)}"
    parser.add_argument("--rule", action="append", default=[], metavar="NAME[,parameter=value]", help=rules)
    parser.add_argument("--html", metavar="FILE", type=Path, help="write the page")
    return parser.parse_args()


def write(options: argparse.Namespace, recorded: Recorded, findings: Sequence[Finding], nbytes: int) -> None:
    """Write `rules.json`, where all rules of the run were asked, and the page, where it is asked for.

    Raises:
        DataError: one cannot be written.
    """
    from dogbreed.debugging.page import write_page
    from dogbreed.debugging.rules_file import write_findings

    try:
        if not options.rule:
            write_findings(options.folder / "rules.json", findings)
        if options.html:
            write_page(options.html, recorded, findings, title=options.folder.name, nbytes=nbytes)
            print(f"Page: {options.html}")
    except OSError as error:
        raise DataError(f"Cannot write {error.filename or options.folder}: {error.strerror or error}") from error


def main() -> int:
    """Read, ask, print; 0 where no rule has found an issue."""
    options = settings()
    from dogbreed.debugging.finding import worst_first
    from dogbreed.debugging.recorded import Recorded
    from dogbreed.debugging.run_settings import rules_of_run
    from dogbreed.debugging.trial import find_trials, read_trials

    trials = find_trials(options.folder)
    rules = chosen_rules(options.rule)
    recorded = Recorded(rules if rules is not None else rules_of_run(options.folder))
    contents = read_trials(trials, recorded)
    findings = worst_first(recorded.check())
    steps = ", ".join(f"{count:,} {mode} steps" for mode, count in contents.steps.items())
    end = "" if contents.complete else "; the run did not end by itself"
    print(f"{trials[-1]}: {len(contents.tensors):,} tensors, {steps}, {contents.nbytes / 2**20:.1f} MiB{end}.")
    print("\n".join(lines(findings)))
    write(options, recorded, findings, contents.nbytes)
    return int(any(found.status in ("Error", "IssuesFound") for found in findings))


if __name__ == "__main__":
    run_command(main)
