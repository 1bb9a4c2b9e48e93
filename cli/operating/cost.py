"""`cost`: what summaries have cost, per day and job: GPU seconds, tokens, requests, dollars."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.endpoint.api import RUNPOD_URL
from cli.operating.desk import Desk, at_a_desk
from cli.operating.prices import price_of
from cli.operating.spans import SpanType
from cli.operating.spending import MOST_JOBS, Report, Sum, Used, read_cost

_SHOWN_OF_ID = 8


@click.command("cost")
@click.option(
    "--within",
    type=SpanType(),
    default="7d",
    show_default=True,
    envvar="SUMMARIES_WITHIN",
    show_envvar=True,
    help="Jobs recorded within it.",
)
@click.option("--jobs", "most_shown", default=10, show_default=True, help="So many of the dearest.")
@click.option(
    "--management-url",
    envvar="RUNPOD_MANAGEMENT_URL",
    default=RUNPOD_URL,
    help="Of RunPod's management API, which has the bill; another one for a simulator.",
)
@at_a_desk
def cost_command(desk: Desk, within: timedelta, most_shown: int, management_url: str) -> None:
    """Sum up what summaries have cost: per day, and of the dearest jobs."""
    report = read_cost(desk, within, management_url)
    desk.tell(_told(report, most_shown), lambda console: _show(console, report, most_shown))


def _told(report: Report, most_shown: int) -> dict[str, Any]:
    return {
        "in_all": _sum_fields(report.whole),
        "days": [{"day": each.name, **_sum_fields(each)} for each in report.days],
        "jobs": [_used_fields(each) for each in report.used[:most_shown]],
        "is_whole": report.is_whole,
        "failed_not_read": report.failed_not_read,
        "endpoint": {
            "id": report.endpoint_id,
            "billed_dollars": report.bill.dollars,
            "billed_by_day": report.bill.by_day,
            "problem": report.bill.problem or None,
        },
    }


def _sum_fields(each: Sum) -> dict[str, Any]:
    return {
        "jobs": each.jobs,
        "failed": each.failed,
        "requests": each.requests,
        "gpu_seconds": round(each.gpu_seconds, 3),
        "prompt_tokens": each.prompt_tokens,
        "completion_tokens": each.completion_tokens,
        "discarded_tokens": each.discarded_tokens,
        "dollars": each.dollars.as_fields() if each.dollars else None,
    }


def _used_fields(each: Used) -> dict[str, Any]:
    price = price_of(each.model)
    return {
        "job_id": each.job_id,
        "key": each.key,
        "state": each.state.value,
        "at": each.at.isoformat(),
        "model": each.model,
        "requests": each.requests,
        "gpu_seconds": round(each.gpu_seconds, 3),
        "prompt_tokens": each.prompt_tokens,
        "completion_tokens": each.completion_tokens,
        "discarded_tokens": each.discarded_tokens,
        "dollars": price.of(each.gpu_seconds).as_fields() if price else None,
    }


def _show(console: Console, report: Report, most_shown: int) -> None:
    if not report.used:
        console.print("No job has ended in this time.")
    else:
        _show_days(console, report)
        _show_jobs(console, report.used[:most_shown])
    console.print("\n[bold]RunPod's bill[/]", highlight=False)
    bill = report.bill
    told = (
        bill.problem
        or f"${bill.dollars:,.2f}, whole days, start and idle time and all uses included"
    )
    console.print(f"  endpoint {report.endpoint_id}: {escape(told)}", highlight=False)
    if not report.is_whole:
        console.print(f"[yellow]only the newest {MOST_JOBS:,} jobs were looked at[/]")
    if report.failed_not_read:
        console.print(f"[yellow]failed jobs that are left out: {report.failed_not_read:,}[/]")


def _show_days(console: Console, report: Report) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("day", no_wrap=True)
    for name in ("jobs", "failed", "requests", "GPU s", "tokens", "thrown away"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("dollars", justify="right")
    for each in (*report.days, report.whole):
        share = each.discarded_tokens / each.completion_tokens if each.completion_tokens else 0.0
        table.add_row(
            each.name,
            f"{each.jobs:,}",
            f"{each.failed:,}",
            f"{each.requests:,}",
            f"{each.gpu_seconds:,.0f}",
            _thousands(each.prompt_tokens + each.completion_tokens),
            f"{share:.0%}",
            each.dollars.text if each.dollars else "?",
        )
    console.print(table)
    if report.whole.dollars is None:
        console.print("[dim]?: models.toml has no price for a model that was used[/]")


def _show_jobs(console: Console, used: Sequence[Used]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("dearest", no_wrap=True)
    for name in ("GPU s", "requests", "dollars"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("file", overflow="fold")
    for each in used:
        price = price_of(each.model)
        table.add_row(
            each.job_id[:_SHOWN_OF_ID],
            f"{each.gpu_seconds:,.1f}",
            f"{each.requests:,}",
            price.of(each.gpu_seconds).text if price else "?",
            escape(each.key),
        )
    console.print()
    console.print(table)


def _thousands(count: int) -> str:
    return f"{count / 1000:,.0f}k" if count >= 10_000 else f"{count:,}"  # noqa: PLR2004 - five digits
