"""`doctor`. Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage."""

import sys
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from cli import answers as kept
from cli.deployment import Deployment
from cli.doctor import checks as _all_checks  # noqa: F401 - fills the registry
from cli.doctor.gather import gather
from cli.doctor.registry import REGISTRY, Finding, Report, Severity, examined
from cli.doctor.runpod import Reach
from cli.endpoint.choices import is_safe_url
from cli.operating.desk import Desk, at_a_desk
from cli.parameters import ROOT
from cli.runpod_key import given_key
from local.stack.simulator import MANAGEMENT_KEY

_WEBHOOK = "webhook-answers"
_FROM_HERE = (
    "the webhook URL was tried from this machine; that RunPod reaches it is not known by this"
)


def _known(
    _context: click.Context, _option: click.Parameter, names: Sequence[str]
) -> Sequence[str]:
    for name in names:
        if name not in REGISTRY.checks:
            raise click.BadParameter(f"no check is called {name}; --list names them")
    return names


def _safe(_context: click.Context, _option: click.Parameter, url: str) -> str:
    if url and not is_safe_url(url):
        raise click.BadParameter("must be https: the key goes there (http on this machine)")
    return url


def _list_checks(context: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        click.echo("\n".join(REGISTRY.checks))
        context.exit()


@click.command("doctor")
@click.option(
    "--only",
    multiple=True,
    metavar="CHECK",
    envvar="SUMMARIES_DOCTOR_ONLY",
    show_envvar=True,
    callback=_known,
    help="Make this check alone; can be repeated. --list names them.",
)
@click.option(
    "--skip",
    multiple=True,
    metavar="CHECK",
    envvar="SUMMARIES_DOCTOR_SKIP",
    show_envvar=True,
    callback=_known,
    help="Leave this check out; can be repeated.",
)
@click.option(
    "--strict",
    envvar="SUMMARIES_DOCTOR_STRICT",
    show_envvar=True,
    is_flag=True,
    help="Exit with 1 for warnings too, and for what could not be looked at.",
)
@click.option(
    "--management-url",
    envvar="RUNPOD_MANAGEMENT_URL",
    show_envvar=True,
    default="",
    callback=_safe,
    help="Of RunPod's management API; another one for a simulator.",
)
@click.option(
    "--list",
    envvar="SUMMARIES_DOCTOR_LIST",
    show_envvar=True,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_checks,
    help="Name the checks, and look at nothing.",
)
@at_a_desk
def doctor_command(
    desk: Desk, *, only: Sequence[str], skip: Sequence[str], strict: bool, management_url: str
) -> None:
    """Find what makes a deployment silently not work, and say what to do.

    Looks only, and changes nothing. RunPod's own settings of the endpoint are looked at with the key
    in RUNPOD_API_KEY, where the stack's own may not. Exit code 1 if something is wrong.
    """
    began = time.monotonic()
    is_local = desk.deployment.is_local
    reach = Reach(
        management_url=management_url,
        management_key=given_key() or (MANAGEMENT_KEY if is_local else ""),
    )
    choices = {} if is_local else kept.read(ROOT / "deploy.toml").endpoint
    report = examine(desk.deployment, reach, choices, only=only, skip=skip)
    seconds = time.monotonic() - began
    desk.tell(
        _told(report, desk.deployment.stack_name, seconds),
        lambda console: _show(console, report, seconds),
    )
    is_wrong = bool(report.of(Severity.ERROR))
    if is_wrong or (strict and (report.findings or report.unchecked)):
        sys.exit(1)


def examine(
    deployment: Deployment,
    reach: Reach,
    choices: Mapping[str, Any] | None = None,
    *,
    only: Collection[str] = (),
    skip: Collection[str] = (),
) -> Report:
    """Look at a deployment once."""
    readings = gather(deployment, reach, choices or {})
    return examined(readings, REGISTRY.checks, only=only, skip=skip)


def _told(report: Report, stack: str, seconds: float) -> dict[str, Any]:
    return {
        "stack": stack,
        "is_healthy": not report.of(Severity.ERROR),
        "errors": [each.told() for each in report.of(Severity.ERROR)],
        "warnings": [each.told() for each in report.of(Severity.WARNING)],
        "not_checked": [
            {"reading": each.reading, "why": each.why, "checks": list(each.checks)}
            for each in report.unchecked
        ],
        "checks": len(report.made),
        "seconds": round(seconds, 1),
        "note": _FROM_HERE if _WEBHOOK in report.made else "",
    }


def _show(console: Console, report: Report, seconds: float) -> None:
    errors, warnings = report.of(Severity.ERROR), report.of(Severity.WARNING)
    _show_findings(console, errors, "[bold red]wrong[/]")
    _show_findings(console, warnings, "[bold yellow]warning[/]")
    for each in report.unchecked:
        console.print(f"[dim]not looked at[/] [bold]{', '.join(each.checks)}[/]", highlight=False)
        console.print(_indented(escape(f"{each.reading}: {each.why}")), highlight=False)
    if report.findings or report.unchecked:
        console.print()
    if _WEBHOOK in report.made and _WEBHOOK not in {each.check for each in report.findings}:
        console.print(f"[dim]{_FROM_HERE[0].upper()}{_FROM_HERE[1:]}.[/]", highlight=False)
    console.print(_verdict(report, seconds), highlight=False)


def _verdict(report: Report, seconds: float) -> str:
    errors, warnings = len(report.of(Severity.ERROR)), len(report.of(Severity.WARNING))
    left_out = sum(len(each.checks) for each in report.unchecked)
    colour = "red" if errors else "yellow" if warnings or left_out else "green"
    found = f"{errors} wrong, {warnings} to think about" if errors or warnings else "Nothing found"
    not_made = f", {left_out} could not be made" if left_out else ""
    return f"[{colour}]{found}[/]: {len(report.made)} checks in {seconds:.1f} s{not_made}."


def _show_findings(console: Console, findings: Sequence[Finding], label: str) -> None:
    for each in findings:
        console.print(f"{label} [bold]{each.check}[/]", highlight=False)
        console.print(_indented(escape(each.trouble.seen)), highlight=False)
        console.print(_indented(f"[dim]fix:[/] {escape(each.trouble.fix)}"), highlight=False)


def _indented(text: str) -> Padding:
    return Padding(text, (0, 0, 0, 2), expand=False)
