"""The jobs that a release is recorded with: between them they are in every state that a job can be in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.jobs.job import JobState
from core.summaries.asks import AskKind
from tests.builders import failed_body
from tests.fakes.model import FakeModel, a_transcript
from tests.fakes.runpod_endpoint import Habits
from tests.faults.event_loop import EventLoop
from tests.faults.scenario_runner import Scenario
from tests.faults.sites import Site
from tests.writing_habits import breaking_json, refusing
from tests.writing_model import always

_SHORT = a_transcript(100, markers=5)
_LONG = a_transcript(1_000, markers=5)
_OUTLINED = "summary-strategy=outline/board.txt"
_FEW_WORDS = {"SUMMARY_WORDS": "200"}
_PULL = {"MODE": "pull"}
_GLOSSARY = {"GLOSSARY": "Solhaug: soul hog; SPEAKER_00 = Ingrid Solhaug"}


@dataclass(frozen=True, kw_only=True)
class Dying:
    """A function dies just after a call, and leaves what it was about to do."""

    function: str
    operation: str
    within: str  # a part of the trail

    def is_at(self, site: Site) -> bool:
        return (site.function, site.operation) == (
            self.function,
            self.operation,
        ) and self.within in " ".join(site.trail)


@dataclass(frozen=True, kw_only=True)
class Situation:
    scenario: Scenario
    dying: Dying | None = None
    mended: Mapping[str, str] = field(default_factory=dict)  # what must change for the job to go on
    after_step: Callable[[EventLoop], None] = lambda loop: None

    @property
    def kind(self) -> str:
        """Where kinds differ, so do records in the same states."""
        mode = self.scenario.environment.get("MODE", "push")
        return f"{mode}, outlined" if self.scenario.key == _OUTLINED else mode


def _the_third_times_out(loop: EventLoop) -> None:
    """Let a request of a stage of several fail for good before the others end."""
    for run in loop.runpod.runs[2:3]:
        run.says = failed_body("executionTimeout exceeded", id=run.id)


SITUATIONS = (
    Situation(scenario=Scenario("one call, with a glossary", _SHORT, environment=_GLOSSARY)),
    Situation(scenario=Scenario("callback lost", _SHORT, habits=Habits(callbacks=0))),
    Situation(scenario=Scenario("retried", _SHORT, habits=Habits(loses_first_attempts=True))),
    Situation(
        scenario=Scenario("submitter died after POST run", _SHORT),
        dying=Dying(function="submitter", operation="POST /run", within="Dispatch"),
    ),
    Situation(
        scenario=Scenario("receiver died publishing what one answer makes", _SHORT),
        dying=Dying(function="webhook_receiver", operation="s3.PutObject", within="S3Summaries"),
    ),
    Situation(
        scenario=Scenario(
            "receiver died storing an answer", _LONG, key=_OUTLINED, environment=_FEW_WORDS
        ),
        dying=Dying(
            function="webhook_receiver", operation="s3.PutObject", within="S3IntermediateStore"
        ),
    ),
    Situation(
        scenario=Scenario(
            "submitter died publishing the summary", _LONG, key=_OUTLINED, environment=_FEW_WORDS
        ),
        dying=Dying(function="submitter", operation="s3.PutObject", within="S3Summaries"),
    ),
    Situation(
        scenario=Scenario("held", _SHORT, environment={"RUNPOD_API_KEY_SECRET": "no/such/secret"}),
        mended={"RUNPOD_API_KEY_SECRET": "runpod/api-key"},
    ),
    Situation(
        scenario=Scenario(
            "given up",
            _SHORT,
            habits=Habits(never_ends=True),
            environment={"JOB_DEADLINE_MINUTES": "15", "MAX_POLLING_ATTEMPTS": "3"},
            ends=JobState.FAILED,
        )
    ),
    Situation(
        scenario=Scenario(
            "declined by the model",
            _SHORT,
            habits=Habits(model=FakeModel(habit=refusing)),
            ends=JobState.FAILED,
        )
    ),
    Situation(
        scenario=Scenario(
            "outline again, sections and ledger, overview",
            _LONG,
            key=_OUTLINED,
            habits=Habits(model=FakeModel(habit=always(breaking_json, AskKind.OUTLINE, tries=1))),
            environment=_FEW_WORDS,
        )
    ),
    Situation(
        scenario=Scenario(
            "one of several requests fails for good",
            _LONG,
            key=_OUTLINED,
            environment=_FEW_WORDS,
            ends=JobState.FAILED,
        ),
        after_step=_the_third_times_out,
    ),
    Situation(
        scenario=Scenario(
            "prompts too long for the endpoint",
            _LONG,
            key=_OUTLINED,
            habits=Habits(model=FakeModel(context_tokens=3_400)),
            environment=_FEW_WORDS,
        )
    ),
    Situation(scenario=Scenario("pulled", _SHORT, environment=_PULL)),
    Situation(
        scenario=Scenario(
            "pulled and retried",
            _SHORT,
            habits=Habits(loses_first_attempts=True),
            environment=_PULL,
        )
    ),
    Situation(
        scenario=Scenario("receiver died publishing what was pulled", _SHORT, environment=_PULL),
        dying=Dying(function="webhook_receiver", operation="s3.PutObject", within=""),
    ),
)
