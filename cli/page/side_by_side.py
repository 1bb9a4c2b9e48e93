"""A summary and its transcript as data, linked both ways: what cli/page/static/reader.js shows.

The links are those of the exported page (cli/operating/exports/linked.py). Everything is text; how it
looks is told by names, never by markup.
"""

from collections.abc import Mapping
from typing import Any

from cli.operating.exports.about import About, about
from cli.operating.exports.linked import ShownPart, ShownTurn, linked_parts, linked_turns
from cli.operating.exports.parts import Run
from cli.operating.exports.transcript import Turns
from cli.operating.results import Result
from cli.page.marks import check_fields, unsaid_figures, untold_stretches
from core.jobs.job import Job
from local.outcome import outcome_lines


def side_by_side(job: Job, result: Result, turns: Turns) -> dict[str, Any]:
    told = about(job, result.text, result.facts)
    passages = turns.passages
    parts = list(linked_parts(told, last=passages.last if passages else 0))
    unsaid = unsaid_figures(parts, passages, told.checks)
    return {
        "title": told.summary.title,
        "is_linked": told.summary.is_linked,
        "parts": [_part(shown, unsaid.get(shown.number, [])) for shown in parts],
        "turns": [_turn(each) for each in linked_turns(passages.all if passages else (), parts)],
        "remark": turns.remark or None,
        "untold": untold_stretches(told.checks),
        "checks": check_fields(told.checks),
        "outcome": _outcome(told, result.facts),
        "about": told.fields,
    }


def _outcome(told: About, facts: Mapping[str, Any]) -> str | None:
    """Say how the checks ended, in one line; None where there are no facts of this job."""
    writing = facts.get("writing")
    return outcome_lines(writing)[0] if isinstance(writing, dict) and told.checks else None


def _part(shown: ShownPart, unsaid: list[str]) -> dict[str, Any]:
    part = shown.part
    return {
        "number": shown.number,
        "kind": part.kind,
        "level": part.level,
        "runs": [{"text": run.text, "styles": _styles(run)} for run in part.runs],
        "turns": list(dict.fromkeys(part.turns)),
        "links": [{"first": link.first, "last": link.last, "text": link.text} for link in shown.links],
        "has_more_links": shown.is_cut,
        "unsaid_figures": unsaid,
    }  # fmt: skip


def _styles(run: Run) -> list[str]:
    styles = {"strong": run.is_bold, "em": run.is_italic, "s": run.is_struck}
    return [name for name, is_on in styles.items() if is_on]


def _turn(turn: ShownTurn) -> dict[str, Any]:
    passage = turn.passage
    return {
        "number": passage.number,
        "speaker": passage.speaker or None,
        "clock": turn.clock or None,
        "text": passage.text,
        "cited_by": list(turn.cited_by),
    }
