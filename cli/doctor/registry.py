"""The checks by name, what a finding is, and how all checks are run over what was read. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cli.doctor.readings import NotRead, Readings

# What was changed or deleted by hand stays so when an unchanged template is deployed.
REVERT = "let CloudFormation revert it (docs/operating.md, `A function in trouble`)"


class Severity(StrEnum):
    ERROR = "error"  # summaries are lost, late or not made
    WARNING = "warning"  # it works, and costs more, is slower or less safe than it need be


@dataclass(frozen=True)
class Trouble:
    seen: str
    fix: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True)
class Finding:
    check: str
    trouble: Trouble

    def told(self) -> dict[str, str]:
        return {"check": self.check, "seen": self.trouble.seen, "fix": self.trouble.fix}


@dataclass(frozen=True, kw_only=True)
class Unchecked:
    """Checks that could not be made, because something could not be read."""

    reading: str
    why: str
    checks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    findings: tuple[Finding, ...]
    unchecked: tuple[Unchecked, ...]
    made: tuple[str, ...]  # names of checks

    def of(self, severity: Severity) -> list[Finding]:
        return [each for each in self.findings if each.trouble.severity is severity]


Judgement = Callable[[Readings], Iterator[Trouble]]


def wrong(seen: str, fix: str) -> Trouble:
    return Trouble(seen, fix)


def doubtful(seen: str, fix: str) -> Trouble:
    return Trouble(seen, fix, Severity.WARNING)


@dataclass(frozen=True)
class Registry:
    """Filled by the modules of `checks` as they are imported; in their order."""

    checks: dict[str, Judgement]

    def check(self, name: str) -> Callable[[Judgement], Judgement]:
        def add(judgement: Judgement) -> Judgement:
            if name in self.checks:
                raise ValueError(f"two checks are called {name}")
            self.checks[name] = judgement
            return judgement

        return add


REGISTRY = Registry({})
check = REGISTRY.check


def examined(
    readings: Readings,
    checks: Mapping[str, Judgement],
    *,
    only: Collection[str] = (),
    skip: Collection[str] = (),
) -> Report:
    """Judge what was read; what could not be read is said, once for each reading."""
    findings: list[Finding] = []
    missing: dict[str, tuple[str, list[str]]] = {}
    chosen = [name for name in checks if (not only or name in only) and name not in skip]
    made: list[str] = []
    for name in chosen:
        try:
            findings += [Finding(name, trouble) for trouble in checks[name](readings)]
            made.append(name)
        except NotRead as exc:
            missing.setdefault(exc.reading, (exc.why, []))[1].append(name)
    unchecked = tuple(
        Unchecked(reading=reading, why=why, checks=tuple(names))
        for reading, (why, names) in missing.items()
    )
    return Report(findings=tuple(findings), unchecked=unchecked, made=tuple(made))
