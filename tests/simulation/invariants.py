"""What must hold after every effect, and what must hold once all is quiet.

Each invariant is a method named for it; docs/reliability.md lists them. A broken one raises `Broken`.
They stay in one file, so that the page's list can be compared with it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from core.aws.names import facts_key_for
from core.jobs.audit import AuditEvent
from core.jobs.call import CALL_TRANSITIONS, Call, CallState, retry_delay
from core.jobs.callback import CallRef
from core.jobs.job import JOB_TRANSITIONS, Job, JobState
from core.jobs.lifecycle import LAST_PATIENCE, LATEST_PICKUP, PUBLISHING_TIME
from core.jobs.lifecycle import PATIENCE as REFUSAL_PATIENCE
from core.summaries.asks import AskKind
from core.summaries.options import Mode
from core.words import count_words
from sweeper.looks import RUNPOD_PATIENCE
from sweeper.polling import PUT_BACK
from tests.builders import NOON
from tests.fakes.memory import PRESIGNED
from tests.fakes.model import BLOCK, ref_of
from tests.replay import is_made_of_its_answers, is_made_of_one_answer, material_of
from tests.simulation.habits import HABITS, UNFIT
from tests.simulation.runpod import ODD_LENGTH, PRIVATE, FakeRunPod
from tests.simulation.services import SUMMARIES, Queue, SteppedS3, SteppedStore
from tests.simulation.simulation import Simulation

MAX_ATTEMPTS = 3
# How long past its deadline a job may be tried to be ended: a result that can't be stored, one that comes
# for another attempt at the end of that, and the last wait of a call for an attempt it doesn't get.
PATIENCE = (
    max(LAST_PATIENCE, RUNPOD_PATIENCE)
    + PUBLISHING_TIME
    + retry_delay(MAX_ATTEMPTS)
    + LATEST_PICKUP
    + PUT_BACK
)
_SWEEPS_ALLOWED, _MANY_SWEEPS_ALLOWED = 3, 20
_MOST_CALLS_PER_JOB = 60  # the plans of these small jobs, repairs included


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass
class Upload:
    """What was uploaded, and whether it can be summarised."""

    key: str
    order: int  # among the versions of its key
    is_good: bool
    body: bytes
    is_deleted: bool = False
    is_replaced: bool = False


@dataclass
class Invariants:
    simulation: Simulation
    store: SteppedStore
    s3: SteppedS3
    queue: Queue
    runpod: FakeRunPod
    uploads: Mapping[str, Upload]  # by job id
    refused: set[str] = field(default_factory=set)  # jobs of which RunPod refused a request
    cancelled: set[str] = field(default_factory=set)  # jobs that an operator wanted to end
    shown: dict[tuple[str, str], str] = field(default_factory=dict)  # the text that a call is about
    _overdue_sweeps: Counter[str] = field(default_factory=Counter)  # by job id
    _jobs: dict[str, Job] = field(default_factory=dict)
    _calls: dict[tuple[str, str], Call] = field(default_factory=dict)
    _events: dict[str, list[AuditEvent]] = field(default_factory=dict)
    _written: int = 0
    _summaries: Counter[str] = field(default_factory=Counter)  # by job id
    _texts: dict[str, str] = field(default_factory=dict)  # what each job's summary object said
    # What lies under work/, with its metadata.
    _kept: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    # ---- after every effect

    def check_step(self) -> None:
        jobs, calls = self.store.items()
        for job_id, job in jobs.items():
            before = self._jobs.get(job_id)
            if job is not before:
                self._the_audit_only_grows(job_id)
                self._a_job_moves_as_it_may(before, job)
                self._jobs[job_id] = job
        for key, call in calls.items():
            earlier = self._calls.get(key)
            if call is not earlier:
                self._the_audit_only_grows(call.job_id)
                self._a_call_moves_as_it_may(earlier, call)
                self._calls[key] = call
        while self._written < len(self.s3.written):
            key, body, metadata = self.s3.written[self._written]
            self._written += 1
            self._what_is_written_is_runpods(key, body.decode(), metadata)

    def taken(self, request: Mapping[str, Any]) -> None:
        """Money: RunPod takes a request that is on record, once an attempt, and not too often."""
        ref = ref_of(request)
        _, calls = self.store.items()
        call = calls.get((ref.job_id, ref.call_id))
        if call is None or call.attempt_numbered(ref.attempt) is None:
            raise Broken(f"{_name(ref)} was sent to RunPod without a record of it")
        earlier = self.runpod.of_call(ref.job_id, ref.call_id)
        if any(job.ref == ref for job in earlier):
            raise Broken(f"{_name(ref)} was sent to RunPod twice")
        if len(earlier) >= MAX_ATTEMPTS:
            raise Broken(f"call {ref.call_id} of job {ref.job_id} was paid for too often")
        self._each_attempt_is_about_the_same(ref, request)

    def _each_attempt_is_about_the_same(self, ref: CallRef, request: Mapping[str, Any]) -> None:
        chat = request["input"].get("openai_input")
        if chat is None:
            return  # pull mode: the worker reads
        block = BLOCK.search(chat["messages"][1]["content"])
        text = block[2] if block else ""
        if self.shown.setdefault((ref.job_id, ref.call_id), text) != text:
            raise Broken(f"{_name(ref)} is about another text than the attempts before it")

    def swept(self, began: datetime) -> None:
        """No job outlives its deadline by more than a patience, as long as there are sweeps.

        Which sweep looks at a job is decided by the fault profile: one that fails, or a lagging index,
        may miss it. So some more sweeps that ended are allowed.
        """
        allowed = (
            _SWEEPS_ALLOWED if self.simulation.profile.lets_sweeps_look else _MANY_SWEEPS_ALLOWED
        )
        for job in self.store.items()[0].values():
            if job.state is JobState.ACTIVE and began > job.deadline + PATIENCE:
                self._overdue_sweeps[job.id] += 1
                if self._overdue_sweeps[job.id] > allowed:
                    late = self.simulation.now() - job.deadline
                    raise Broken(f"job {job.id} is active {late} past its deadline")

    def was_refused(self, request: Mapping[str, Any]) -> None:
        self.refused.add(ref_of(request).job_id)

    def answered(self, ref: CallRef, body: Mapping[str, Any] | None, status: int) -> None:
        """200 means durable: the report is on record, or the next sweep polls RunPod for it."""
        if status != 200 or body is None or body["status"] == "IN_PROGRESS":
            return
        _, calls = self.store.items()
        call = calls[ref.job_id, ref.call_id]
        attempt = call.attempt_numbered(ref.attempt)
        is_open = not call.is_final and call.state is not CallState.PUBLISHING
        is_waited_for = is_open and attempt and not attempt.outcome and attempt is call.attempt
        # A sweep that could not ask may have put it back by now.
        is_due = call.due_at is not None and call.due_at <= self.simulation.now() + PUT_BACK
        is_asked_about = is_due or call.polls > 0  # a sweep may have been quicker than the answer
        if is_waited_for and not is_asked_about:
            raise Broken(f"the callback about {_name(ref)} was answered 200 and did nothing")

    def forged(self, status: int, *, may_be: frozenset[int]) -> None:
        if status not in may_be:
            raise Broken(f"a forged callback was answered {status}, not one of {sorted(may_be)}")

    def _the_audit_only_grows(self, job_id: str) -> None:
        known, now = self._events.get(job_id, []), self.store.events(job_id)
        if now[: len(known)] != known:
            raise Broken(f"the audit of job {job_id} was changed afterwards")
        pending_events = str(now[len(known) :])
        if PRIVATE in pending_events or PRESIGNED in pending_events:
            raise Broken(f"the audit of job {job_id} quotes what is confidential")
        self._events[job_id] = list(now)

    def _a_job_moves_as_it_may(self, before: Job | None, job: Job) -> None:
        if (
            before
            and job.state is not before.state
            and job.state not in JOB_TRANSITIONS[before.state]
        ):
            raise Broken(f"job {job.id} went from {before.state} to {job.state}")
        if before and before.is_final:
            seen_to = replace(before, due_at=None, revision=job.revision)
            if job != seen_to or before.due_at is None:
                raise Broken(f"job {job.id} was changed after its end")
        if job.state is JobState.SUCCEEDED:
            self._success_means_a_summary(job)
        if job.state is JobState.FAILED:
            self._failure_has_its_reason(job)
        if job.is_final and self._last_move(job) != job.state:
            raise Broken(f"the audit of job {job.id} does not end in {job.state}")

    def _a_call_moves_as_it_may(self, before: Call | None, call: Call) -> None:
        if before is None:
            return
        if call.state is not before.state and call.state not in CALL_TRANSITIONS[before.state]:
            raise Broken(f"call {call.id} went from {before.state} to {call.state}")
        if before.is_final:
            noted = replace(before, late=True, revision=call.revision, attempts=call.attempts)
            if call != noted or before.late:
                raise Broken(f"call {call.id} of job {call.job_id} was changed after its end")
        if call.paid_attempts > MAX_ATTEMPTS:
            raise Broken(f"call {call.id} of job {call.job_id} has too many paid attempts")
        if (call.due_at is None) != call.is_final:
            raise Broken(f"call {call.id} of job {call.job_id} is {call.state}, due {call.due_at}")

    def _what_is_written_is_runpods(self, key: str, body: str, metadata: Mapping[str, str]) -> None:
        if key.startswith("work/"):
            _, job_id, name = key.removesuffix(".txt").split("/")
            if key.endswith(".txt"):  # else a level or a plan, which are documents of ours
                self._is_output_of(job_id, name, body)
            self._kept[key] = body, metadata
        elif key.endswith(".txt"):
            job_id = metadata["job-id"]
            self._summaries[job_id] += 1
            if self._summaries[job_id] > 1:
                raise Broken(f"job {job_id} has written more than one summary")
            if not body.strip():
                raise Broken(f"the summary of job {job_id} is empty")
            self._texts[job_id] = body
            self._nothing_unfit_is_published(job_id, body)
            self._is_made_of_outputs(job_id, body, metadata)

    def _nothing_unfit_is_published(self, job_id: str, body: str) -> None:
        found = [words for words in UNFIT if words in body]
        if found:
            raise Broken(f"the summary of job {job_id} says {found}")

    def _is_made_of_outputs(self, job_id: str, body: str, metadata: Mapping[str, str]) -> None:
        call_id, attempt = metadata["call-id"], int(metadata["attempt"])
        jobs, calls = self.store.items()
        job = jobs[job_id]
        if attempt and job.options.mode is Mode.PULL:
            self._is_output_of(job_id, call_id, body, attempt=attempt)
            return
        if attempt:
            returned = self._outputs_of(job_id, call_id, attempt)
            call = calls[job_id, call_id]
            is_right = is_made_of_one_answer(body, job, call, self._kept, returned)
        else:
            is_right = is_made_of_its_answers(body, job, calls.values(), self._kept)
        if not is_right:
            raise Broken(f"the summary of job {job_id} is not what its calls made")

    def _is_output_of(self, job_id: str, call_id: str, body: str, attempt: int = 0) -> None:
        outputs = self._outputs_of(job_id, call_id, attempt)
        if body.strip() not in (text.strip() for text in outputs):
            raise Broken(
                f"what call {call_id} of job {job_id} wrote is not what RunPod made for it"
            )

    def _outputs_of(self, job_id: str, call_id: str, attempt: int) -> list[str]:
        """Return the texts of an attempt of a call; of all of them where it is 0."""
        of_call = self.runpod.of_call(job_id, call_id)
        return [job.text for job in of_call if attempt in (0, job.ref.attempt)]

    def _success_means_a_summary(self, job: Job) -> None:
        text = self._texts.get(job.id)
        has_facts = (SUMMARIES, facts_key_for(job.summary_key)) in self.s3.objects
        if not has_facts and not self._s3_refuses_past(job.deadline):
            raise Broken(f"job {job.id} succeeded without its facts")
        if not text or job.summary is None or job.summary.words != count_words(text):
            raise Broken(f"job {job.id} succeeded without its summary")
        if not job.words_in:
            raise Broken(f"job {job.id} succeeded and nobody knows how long its transcript was")

    def _failure_has_its_reason(self, job: Job) -> None:
        """No job fails for a reason that is not so."""
        if not job.reason_code or not job.reason:
            raise Broken(f"job {job.id} failed without a reason")
        upload = self.uploads[job.id]
        reasons: dict[str, Callable[[], bool]] = {
            "deadline": lambda: self.simulation.now() >= job.deadline,
            "output-refused": lambda: self._s3_refuses_past(job.deadline),
            "not-published": lambda: self._s3_refuses_past(job.deadline),
            "result-lost": lambda: self._a_text_was_made(job.id),
            "text-missing": lambda: False,  # nobody deletes texts here
            "work-expired": lambda: False,
            "empty": lambda: not upload.is_good,
            "not-text": lambda: not upload.is_good,
            "unreadable": lambda: not upload.is_good,
            "too-large": lambda: not upload.is_good,
            "deleted": lambda: upload.is_deleted,
            "replaced": lambda: upload.is_replaced,
            "superseded": lambda: upload.is_replaced,
            "refused-by-runpod": lambda: job.id in self.refused,
            "execution-timeout": lambda: self._runpod_said(job.id, "executionTimeout"),
            "context-length": lambda: self._runpod_said(job.id, "maximum context length"),
            "impossible": lambda: self._runpod_said(job.id, "maximum context length"),
            "model-refused": lambda: self._runpod_said(job.id, "bad request"),
            "model-unusable": self._the_model_is_odd,
            "model-declined": self._the_model_is_odd,
            "no-answer": self._the_model_is_odd,
            "cancelled": lambda: False,  # nobody but us cancels here
            "cancelled-by-operator": lambda: job.id in self.cancelled,
        }
        is_so = reasons.get(job.reason_code, lambda: self._attempts_are_spent(job.id))
        if not is_so():
            raise Broken(f"job {job.id} failed as {job.reason_code}, which is not so")

    def _the_model_is_odd(self) -> bool:
        """Has the model ever been made to write otherwise? The job may fail once the world is calm."""
        habits = {f"{kind}: {name}" for kind in AskKind for name in HABITS}
        return ODD_LENGTH in self.simulation.tally or not habits.isdisjoint(self.simulation.tally)

    def _s3_refuses_past(self, deadline: datetime) -> bool:
        profile = self.simulation.profile
        is_tried = self.simulation.now() >= deadline + REFUSAL_PATIENCE
        return is_tried and bool(profile.s3_outages or profile.aws_requests or profile.kills)

    def _a_text_was_made(self, job_id: str) -> bool:
        """Did RunPod make something for a job that was not stored? Not where storing always works."""
        simulation = self.simulation
        always_works = simulation.is_swept_on_schedule and simulation.profile.lets_sweeps_work
        mine = [job for job in self.runpod.jobs.values() if job.ref.job_id == job_id]
        return any(job.text for job in mine) and not always_works

    def _attempts_are_spent(self, job_id: str) -> bool:
        """Some call was tried as often as it may be, or RunPod was asked as often."""
        _, calls = self.store.items()
        mine = [call for call in calls.values() if call.job_id == job_id]
        return any(call.paid_attempts >= MAX_ATTEMPTS or call.polls >= 9 for call in mine)

    def _runpod_said(self, job_id: str, words: str) -> bool:
        mine = [job for job in self.runpod.jobs.values() if job.ref.job_id == job_id]
        return any(words in str((job.body or {}).get("error")) for job in mine)

    def _last_move(self, job: Job) -> str:
        moves = [
            event for event in self.store.events(job.id) if event.from_state == job.state.ACTIVE
        ]
        return moves[-1].to_state if moves else ""

    # ---- once all is quiet

    def is_quiet(self) -> bool:
        jobs, _ = self.store.items()
        return (
            set(jobs) == set(self.uploads)
            and all(job.is_final for job in jobs.values())
            and self.queue.is_empty
            and self.runpod.is_idle
            and not self.simulation.running
            and self.store.is_quiet(jobs_end(jobs))
        )

    def at_rest(self, output: str) -> None:
        jobs, calls = self.store.items()
        missing = set(self.uploads) - set(jobs)
        if missing:
            raise Broken(f"uploads without a job: {[self.uploads[each].key for each in missing]}")
        open_ones = [job.id for job in jobs.values() if not job.is_final]
        open_ones += [call.id for call in calls.values() if not call.is_final]
        if open_ones:
            raise Broken(f"never ended: {open_ones}")
        if not self.is_quiet():
            raise Broken("something is still due, under way or queued")
        self._the_newest_summary_is_visible(jobs)
        self._every_word_is_shown(calls.values())
        self._nothing_private_is_logged(output)
        self._money_is_bounded(jobs)

    def all_succeeded(self) -> None:
        """What must hold where nothing went wrong: every good file succeeds, at one request a call."""
        jobs, calls = self.store.items()
        for job_id, upload in self.uploads.items():
            if (
                jobs[job_id].state is JobState.SUCCEEDED
            ) != upload.is_good and not upload.is_replaced:
                raise Broken(f"job {job_id} is {jobs[job_id].state}, and nothing had gone wrong")
        if any(len(call.attempts) > 1 for call in calls.values()):
            raise Broken("a call needed a second attempt, and nothing had gone wrong")

    def nothing_paid_for_is_lost(self) -> None:
        """What must hold where sweeps are not disturbed: a text that RunPod made is used.

        Unless its job had ended by then, or fails for another call.
        """
        jobs, calls = self.store.items()
        for made in self.runpod.jobs.values():
            job, call = jobs[made.ref.job_id], calls[made.ref.job_id, made.ref.call_id]
            if not made.text or call.state is CallState.SUCCEEDED or made.ended_at_seconds is None:
                continue
            ended_at = NOON + timedelta(seconds=made.ended_at_seconds)
            is_lost = job.reason_code in {
                "lost-by-runpod",
                "unanswered",
                "polls-exhausted",
                "deadline",
            }
            if is_lost and call.state is CallState.FAILED and job.finished_at > ended_at:
                raise Broken(f"{made.id} made a text, and job {job.id} failed as {job.reason_code}")

    def _every_word_is_shown(self, calls: Iterable[Call]) -> None:
        """The calls of a job that succeeded have shown every passage of its transcript to the model."""
        shown: dict[str, set[str]] = {}
        for call in calls:
            lines = self.shown.get((call.job_id, call.id), "").splitlines()
            shown.setdefault(call.job_id, set()).update(lines)
        for job in self.store.items()[0].values():
            if job.state is not JobState.SUCCEEDED or job.options.mode is Mode.PULL:
                continue
            passages = material_of(job.id, self._kept).passages
            if {passage.line for passage in passages.all} - shown[job.id]:
                raise Broken(f"job {job.id} has not shown all of its transcript to the model")

    def _the_newest_summary_is_visible(self, jobs: Mapping[str, Job]) -> None:
        newest: dict[str, tuple[int, str]] = {}
        for job_id, upload in self.uploads.items():
            if jobs[job_id].state is JobState.SUCCEEDED:
                key = jobs[job_id].summary_key
                newest[key] = max(newest.get(key, (-1, "")), (upload.order, job_id))
        for (bucket, key), stored in self.s3.objects.items():
            if bucket == SUMMARIES and key.startswith("summaries/") and key.endswith(".txt"):
                job_id = stored.metadata["job-id"]
                if "S3 could not be asked" in jobs[job_id].reason:  # its audit says so too
                    newest.pop(key, None)
                elif jobs[job_id].state is not JobState.SUCCEEDED:
                    raise Broken(f"{key} is the summary of job {job_id}, which has not succeeded")
        for key, (_, job_id) in newest.items():
            stored = self.s3.objects[SUMMARIES, key]
            if stored.metadata["job-id"] != job_id:
                raise Broken(f"{key} is not the summary of its newest version")

    def _nothing_private_is_logged(self, output: str) -> None:
        tokens = {
            str(job.request["webhook"]).rpartition("/")[2] for job in self.runpod.jobs.values()
        }
        private = {PRIVATE, PRESIGNED, "/webhook/", *tokens}
        if any(each in output for each in private):
            raise Broken("a log line holds a token, a URL or somebody's words")

    def _money_is_bounded(self, jobs: Mapping[str, Job]) -> None:
        per_job = Counter(job.ref.job_id for job in self.runpod.jobs.values())
        for job_id, number in per_job.items():
            if number > MAX_ATTEMPTS * _MOST_CALLS_PER_JOB:
                raise Broken(f"job {job_id} cost {number} RunPod requests")


def jobs_end(jobs: Mapping[str, Job]) -> Any:
    """Return an instant after which nothing may be due."""
    return max(job.expires_at for job in jobs.values())


def _name(ref: CallRef) -> str:
    return f"attempt {ref.attempt} of call {ref.call_id} of job {ref.job_id}"
