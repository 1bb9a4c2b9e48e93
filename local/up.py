"""`python -m local up`: keeps the stack up, uploads what lies in the inbox, prints what happens to it."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from cli.deployment import Deployment, History
from cli.page.server import serving
from core.jobs.job import JobState
from local import report
from local.outcome import outcome_lines
from local.stack.emulator import REGION, ROOT_KEY
from local.stack.loopback import checked_port
from local.stack.processes import StackError
from local.stack.stack import LocalStack

_POLL_SECONDS = 0.5
_Stamp = tuple[int, int]  # of a file: its time and size


def _explain(console: Console, stack: LocalStack, inbox: "Inbox", address: str) -> None:
    outputs = stack.outputs
    taken = len(inbox.taken_before)
    lines = (
        "",
        "[bold]The stack is up.[/] Ctrl-C stops it and removes everything in it.",
        "",
        "  Watch jobs move, read summaries beside their transcripts, upload, retry, cancel:",
        f"  {address}",
        "",
        f"  Or drop a transcript (.txt, .vtt, .srt, .docx, .json, .pdf …) into {inbox.folder}/",
        f"  and find its summary in {inbox.folder.parent}/",
        *(
            [f"  {taken} there were taken before; touch one to have it taken again."]
            if taken
            else []
        ),
        "",
        "  From another terminal, as its operator (`.venv/bin/summaries --help` has the commands):",
        "",
        f"    export SUMMARIES_STACK=local LOCAL_PORT={urlsplit(stack.endpoint_url).port}",
        "    .venv/bin/summaries status",
        "",
        "  Or as AWS:",
        "",
        f"    export AWS_ENDPOINT_URL={stack.endpoint_url}",
        f"    export AWS_ACCESS_KEY_ID={ROOT_KEY} AWS_SECRET_ACCESS_KEY={ROOT_KEY}",
        f"    export AWS_DEFAULT_REGION={REGION}",
        f"    aws s3 cp FILE s3://{outputs['InputBucket']}/",
        f"    aws s3 ls --recursive s3://{outputs['OutputBucket']}/",
        "",
        f"  Logs of everything: {stack.folder}/*.log",
        "",
    )
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


@dataclass
class Inbox:
    """A folder whose files are uploaded once they have stopped growing.

    A file in the folder remembers what was uploaded, so that the next start does not upload it again.
    """

    folder: Path
    _seen: dict[str, _Stamp] = field(default_factory=dict)
    _uploaded: dict[str, _Stamp] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with suppress(
            FileNotFoundError, ValueError, AttributeError, TypeError
        ):  # not a file of ours
            remembered = json.loads(self._memory.read_text(encoding="utf-8"))
            self._uploaded = {key: (stamp[0], stamp[1]) for key, stamp in remembered.items()}

    @property
    def taken_before(self) -> list[str]:
        """Return the files that are still here and were uploaded before."""
        return [key for key, path in self._files() if self._uploaded.get(key) == _stamp(path)]

    def upload_new(self, deployment: Deployment) -> None:
        for key, path in self._files():
            stamp = _stamp(path)
            is_settled = self._seen.get(key) == stamp
            self._seen[key] = stamp
            if is_settled and self._uploaded.get(key) != stamp:
                deployment.upload(path, key)
                self._uploaded[key] = stamp
                self._memory.write_text(json.dumps(self._uploaded, indent=1), encoding="utf-8")

    @property
    def _memory(self) -> Path:
        return self.folder / ".taken.json"

    def _files(self) -> list[tuple[str, Path]]:
        """Return the files with their keys, which keep the folders they lie in."""
        found = [(path.relative_to(self.folder), path) for path in self.folder.rglob("*")]
        return sorted(
            (name.as_posix(), path)
            for name, path in found
            if path.is_file() and not any(part.startswith(".") for part in name.parts)
        )


def _stamp(path: Path) -> _Stamp:
    stat = path.stat()
    return (stat.st_mtime_ns, stat.st_size)


@dataclass
class Watch:
    """Prints a line for each thing that happens to a job, and saves the summaries."""

    console: Console
    deployment: Deployment
    output_folder: Path
    _printed: dict[str, int] = field(default_factory=dict)  # audit events of each job
    _ended: set[str] = field(default_factory=set)

    def print_news(self) -> None:
        for job_id in self.deployment.job_ids():
            if job_id not in self._ended:
                history = self.deployment.history_of(job_id)
                if history:
                    self._print_events(history)

    def _print_events(self, history: History) -> None:
        job = history.job
        for event in history.events[self._printed.get(job.id, 0) :]:
            at = event.at.astimezone().strftime("%H:%M:%S")
            by = event.by.replace("_", " ")
            self._print(f"{at}  {job.source.key}  {event.what}  ({by})")
        self._printed[job.id] = len(history.events)
        if job.is_final:
            self._ended.add(job.id)
            self._print_end(history)

    def _print_end(self, history: History) -> None:
        job = history.job
        if job.state is not JobState.SUCCEEDED:
            self._print(f"          {job.source.key}  failed: {job.reason} ({job.reason_code})")
            return
        summary = self.deployment.summary(job)
        copies = report.save_copies(summary, job, self.output_folder)
        words = job.summary.words if job.summary else 0
        self._print(f"          {job.source.key}  {words:,} words in {copies.text}")
        for line in outcome_lines(summary.facts.get("writing", {})):
            self._print(f"          {job.source.key}  {line}")

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def keep_up(console: Console, stack: LocalStack, inbox_folder: Path, output_folder: Path) -> None:
    """Upload and report until Ctrl-C, which is the normal end here."""
    inbox = Inbox(inbox_folder)
    watch = Watch(console, stack, output_folder)
    with serving(stack, port=_page_port(stack)) as page, suppress(KeyboardInterrupt):
        _explain(console, stack, inbox, page.address)
        while True:
            stack.check_running()
            inbox.upload_new(stack)
            watch.print_news()
            time.sleep(_POLL_SECONDS)
    console.print("\nStopping.")


def _page_port(stack: LocalStack) -> int:
    """Return the port beside the stack's, so that a tab stays valid; 0, a free one, where it is taken."""
    beside = (urlsplit(stack.endpoint_url).port or 0) + 1
    try:
        return checked_port(beside)
    except StackError:
        return 0
