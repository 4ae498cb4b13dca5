"""What became of all groups of tests, as a table, with what failed and what was skipped and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from tests.suite.groups import Group


@dataclass(frozen=True)
class Result:
    """How a group of tests ended."""

    group: Group
    status: int
    """pytest's exit status."""


def told(results: Sequence[Result]) -> str:
    """The summary, for people."""
    lines = [f"{'tests':<14}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    failed: list[str] = []
    skipped: Counter[str] = Counter()
    for result in results:
        suite = _suite(result.group)
        cases = list(suite.iter("testcase"))
        bad = [case for case in cases if _has(case, "failure", "error")]
        left_out = [case for case in cases if _has(case, "skipped")]
        counts = (len(cases) - len(bad) - len(left_out), len(bad), len(left_out))
        row = f"{counts[0]:>8}{counts[1]:>8}{counts[2]:>9}{float(suite.get('time', 0)):>9.0f}"
        lines.append(f"{result.group.name:<14}{row}")
        failed += [f"  {_name(case)}" for case in bad]
        if result.status and not bad:
            failed.append(f"  {result.group.name}: pytest ended with status {result.status}")
        skipped.update(f"{case.get('classname')}: {_reason(case)}" for case in left_out)
    if skipped:
        lines += ["", "skipped:", *(f"{count:>5}  {what}" for what, count in skipped.items())]
    lines += ["", "failed:", *failed] if failed else ["", "all tests passed"]
    return "\n".join(lines)


def _suite(group: Group) -> Xml.Element:
    """A group's report; empty where pytest did not get that far."""
    if not group.report.exists():
        return Xml.Element("testsuite")
    suites = Xml.parse(group.report)  # noqa: S314 - pytest wrote it
    return next(suites.iter("testsuite"))


def _reason(case: Xml.Element) -> str:
    """Why a test was skipped."""
    skipped = case.find("skipped")
    return str(skipped.get("message")) if skipped is not None else ""


def _has(case: Xml.Element, *outcomes: str) -> bool:
    return any(case.find(outcome) is not None for outcome in outcomes)


def _name(case: Xml.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"
