"""`python -m local demo`: takes one transcript through the deployed pipeline, step by step."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from cli.deployment import History
from cli.parameters import parameters
from core.aws.names import is_transcript_name
from core.jobs.job import JobState
from local import answers, report
from local.follow import Follower
from local.progress import Progress
from local.stack.processes import StackError
from local.stack.setup import Setup
from local.stack.stack import LocalStack, local_stack
from local.steps import TRANSCRIPT_STEPS, Step

# Longer than a job's deadline: by then the sweeper has failed it, with a reason.
_LONGEST_SECONDS = 65 * 60.0

_SMALL_MODEL_WARNING = (
    "A model of 135 million parameters proves the path, not the prose: what it writes is poor and partly"
    " invented."
)
_SUFFIXES = tuple(parameters()["InputSuffixes"].fields["Default"].split(","))


def readable_file(given: Path) -> Path:
    """Return the transcript that was asked for, `~` read as the home. Raises StackError."""
    path = given if given.exists() else given.expanduser()
    try:
        with path.open("rb"):
            return path
    except IsADirectoryError:
        what = f"{given} is a folder, not a transcript."
    except PermissionError:
        what = f"{given} can't be read: its permissions don't let you."
    except OSError:
        what = f"There is no file {given}; it was looked for at {path.absolute()}."
    raise StackError(
        f"{what}\nName one that is there, as make demo FILE=path/to/transcript.txt (in quotes if it holds"
        " spaces), or leave FILE out to see one of samples/."
    )


_NEXT = (
    "",
    "[bold]Next[/] make up",
    "     keeps the stack up and prints the address of a page: drop a file, watch it",
    "     move, read its summary beside the transcript, retry and cancel.",
    "",
    "[bold]Try[/]  .venv/bin/summaries read FILE",
    "     how a file of yours would be read, and what it would take; without a stack",
    "     .venv/bin/summaries submit FILE --stack local --wait",
    "     after make up: upload it, and stay until its summary is there",
    "     .venv/bin/summaries show FILE --stack local",
    "     the story of its job: rounds, calls, checks, cost, where each second went",
)


def show_next(console: Console) -> None:
    """Say how to go on: what to look at, and three commands to try."""
    for line in _NEXT:
        console.print(line, highlight=False, soft_wrap=True)


class JobFailedError(Exception):
    """The job ended without a summary; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Call `run` once; the stack lasts as long as `running`."""

    transcript: Path
    output_folder: Path
    console: Console

    def run(self, setup: Setup, running: ExitStack) -> LocalStack:
        """Return the stack, still up. Raises JobFailedError, and StackError where it did not come up."""
        title = f"{self.transcript.name} becomes a summary on this machine"
        self.console.print(title, style="bold", markup=False, highlight=False, soft_wrap=True)
        self.console.print()
        with Progress(self.console) as progress:
            stack = running.enter_context(local_stack(setup, progress))
            history = self._round_trip(stack, progress)
        self._show(stack, history, progress.seconds)
        if setup.model or setup.model_python:
            answers.show(self.console, answers.given(history, stack.runpod))
        if setup.model_python:
            self.console.print()
            self.console.print(_SMALL_MODEL_WARNING, style="yellow", highlight=False)
        return stack

    def run_on(self, stack: LocalStack) -> None:
        """Run the demo on a stack that is up. Raises JobFailedError."""
        with Progress(self.console, TRANSCRIPT_STEPS) as progress:
            history = self._round_trip(stack, progress)
        self._show(stack, history, progress.seconds)

    def _show(self, stack: LocalStack, history: History, seconds: float) -> None:
        report.show_audit(self.console, history)
        if history.job.state is not JobState.SUCCEEDED:
            raise JobFailedError(f"{history.job.reason} ({history.job.reason_code})")
        summary = stack.summary(history.job)
        copies = report.save_copies(summary, history.job, self.output_folder)
        answered = answers.given(history, stack.runpod)
        report.show_outcome(
            self.console,
            history,
            summary,
            copies,
            writers=answers.models(answered),
            seconds=seconds,
        )
        report.show_beginning(self.console, summary.text)
        report.show_checks(self.console, summary)

    def _key(self) -> str:
        """Return the file's name, with a suffix that is among the template's default InputSuffixes."""
        name = self.transcript.name
        return name if is_transcript_name(name, _SUFFIXES) else f"{name}.txt"

    def _round_trip(self, stack: LocalStack, progress: Progress) -> History:
        progress.begin(Step.UPLOAD)
        upload = stack.upload(self.transcript, self._key())
        progress.end(Step.UPLOAD, f"s3://{upload.bucket}/{upload.key}")
        with Follower(stack, stack.runpod, progress) as follower:
            history = follower.follow(upload, timeout_seconds=_LONGEST_SECONDS)
            if history.job.state is not JobState.SUCCEEDED:
                progress.fail()
            return history
