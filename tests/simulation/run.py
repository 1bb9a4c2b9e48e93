"""One run: who uploads what, what goes wrong, and until when. All of it follows from a seed."""

import io
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from unittest import mock

from cli.operating.cancelling import Cancelling
from core import wiring
from core.jobs.callback import CallRef
from core.jobs.job import Source, job_id_for
from core.settings import SubmitterSettings
from tests.builders import SECRET, completed_body
from tests.fakes.lambda_events import callback_event, eventbridge_event, s3_notification, sqs_batch
from tests.fakes.model import a_transcript
from tests.simulation.fault_profile import CALM, FaultProfile, draw_profile
from tests.simulation.functions import DEPLOYMENTS, RECEIVER, SUBMITTER, SWEEPER, Clients, Functions
from tests.simulation.invariants import Broken, Invariants, Upload
from tests.simulation.pull_worker import PullWorker
from tests.simulation.runpod import PRIVATE, Answer, Endpoint, FakeRunPod
from tests.simulation.scheduler import Killed
from tests.simulation.services import (
    SECRETS_KEPT_SECONDS,
    TRANSCRIPTS,
    Queue,
    Secrets,
    SteppedS3,
    SteppedStore,
)
from tests.simulation.simulation import Line, Simulation

_SWEEP_SECONDS = 120.0
_UPLOADS_UNTIL_SECONDS = 1_800.0
_CALM_FROM_SECONDS = 2 * 3_600.0  # the profile's end; whatever is left must end soon after
_PATIENCE_SECONDS = 4 * 3_600.0
# Beside the uploads, from some instant on: one of use, one of which half is, one that is no text.
_GLOSSARIES = (
    b"The Ferry: ferry\nMara = Mara Holm\n",
    b"a: b: c = d\nIlse = Ilse Berg\n",
    b"\x00\xff" * 9,
)
_JOB_SECONDS = 65 * 60.0  # the deadline, and as long as a function may keep what it knows


@dataclass(frozen=True)
class Outcome:
    """What came of one run."""

    seed: int
    profile: FaultProfile
    jobs: Counter[str]  # by state, or by reason
    gpu_runs: int
    effects: int
    tally: Counter[str]  # what went wrong, how often
    broken: str = ""  # the invariant that did not hold
    history: tuple[Line, ...] = ()


@dataclass
class Run:
    simulation: Simulation
    settings: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    is_over: bool = False

    def __post_init__(self) -> None:
        simulation = self.simulation
        self.store = SteppedStore(simulation)
        self.s3 = SteppedS3(simulation, versioned=simulation.random.random() < 0.5)
        self.queue = Queue(simulation, self._take_message)
        self.secrets = Secrets((SECRET,))
        self.runpod = FakeRunPod(
            simulation,
            self.post,
            PullWorker(simulation, self.s3),
            outage=simulation.outage(simulation.profile.runpod_outages),
        )
        self.invariants = Invariants(
            simulation=simulation,
            store=self.store,
            s3=self.s3,
            queue=self.queue,
            runpod=self.runpod,
            uploads=self.uploads,
        )
        endpoint = Endpoint(self.runpod, self._taken, self.invariants.was_refused)
        self.functions = Functions(
            Clients(simulation, self.store, self.s3, self.queue, self.secrets, endpoint)
        )
        simulation.step_checks.append(self.invariants.check_step)

    # ---- who acts

    def upload(self, key: str, body: bytes, *, is_good: bool) -> None:
        """Put an object; S3 announces it at least once."""
        simulation = self.simulation
        etag = self.s3.upload(key, body)
        earlier = [upload for upload in self.uploads.values() if upload.key == key]
        for each in earlier:
            each.is_replaced = True
        source = {
            "key": key,
            "size": len(body),
            "etag": etag["ETag"].strip('"'),
            "version_id": etag.get("VersionId", ""),
            "sequencer": f"{len(self.uploads) + 1:016X}",
            "at": simulation.now().isoformat(),
        }
        upload = Upload(key=key, order=len(earlier), is_good=is_good, body=body)
        self.uploads[_job_id(source)] = upload
        simulation.record("somebody", f"uploads {key}, {len(body):,} bytes, good: {is_good}")
        announce = eventbridge_event if simulation.random.random() < 0.5 else s3_notification
        message = json.dumps(announce(**source))
        for _ in range(2 if simulation.happens(simulation.profile.messages_repeated) else 1):
            self.queue.put(message, 30 * simulation.random.random() ** 4)
        if simulation.happens(simulation.profile.deletions):
            simulation.after(300 * simulation.random.random(), lambda: self._delete(key, upload))

    def cancel(self, job_id: str) -> None:
        """Have an operator end a job, who may be cut off at any moment."""
        simulation = self.simulation
        self.invariants.cancelled.add(job_id)

        def cancel() -> str:
            settings = SubmitterSettings.from_env(os.environ)
            lifecycle = wiring.lifecycle(
                settings.resources,
                settings.retries,
                store=wiring.store(settings.resources),
                by="operator",
            )
            runpod = wiring.runpod(settings.runpod)
            cancelling = Cancelling(lifecycle=lifecycle, runpod=runpod, clock=wiring.now)
            outcome = cancelling.cancel(job_id)
            return outcome.did or outcome.conflict

        self.functions.act("operator", cancel)
        simulation.tally["jobs an operator would cancel"] += 1

    def sweep(self) -> None:
        began = self.simulation.now()

        def ended(_result: Any, error: BaseException | None) -> None:
            if not isinstance(error, Killed):
                self.simulation.check(lambda: self.invariants.swept(began))

        self.functions.invoke(SWEEPER, {}, ended)

    def post(self, url: str, body: str, answered: Answer) -> None:
        """Deliver a callback through the gateway."""
        event = callback_event(url, body)
        ref_and_body = _read(event)

        def on_end(result: Any, error: BaseException | None) -> None:
            status = 500 if error else int(result["statusCode"])
            self.simulation.tally[f"callbacks answered {status}"] += 1
            if status == 401 and self.secrets.open(event):
                raise Broken("a callback of RunPod's was taken for a stranger's")
            if ref_and_body:
                self.invariants.answered(*ref_and_body, status)
            answered(status)

        self.functions.invoke(RECEIVER, event, on_end)

    def forge(self) -> None:
        """Call back about something with a token, or a report, that is not its own."""
        jobs = list(self.runpod.jobs.values())
        if not jobs:
            return
        random = self.simulation.random
        victim, other = random.choice(jobs), random.choice(jobs)
        url = str(victim.request["webhook"])
        rest, _, token = url.rpartition("/")
        body_of_victim = json.dumps(_a_lie(victim.id))
        unauthorized = frozenset({401, 500})
        forgeries: list[tuple[str, str, frozenset[int]]] = [
            (f"{rest}/{token[:-1]}", body_of_victim, unauthorized),
            (f"{rest}/{token[::-1]}", body_of_victim, unauthorized),
            (f"{rest}/tøken", body_of_victim, unauthorized),
            (url, json.dumps(_a_lie("rp-of-somebody-else")), frozenset({409, 500})),
            (url, "not JSON", frozenset({400, 500})),
        ]
        if other.ref != victim.ref:
            others = str(other.request["webhook"]).rpartition("/")[2]
            forgeries.append((f"{rest}/{others}", body_of_victim, unauthorized))
        forged_url, body, may_be = random.choice(forgeries)
        if self._is_identified(victim.id) or 409 not in may_be:
            self.simulation.tally["callbacks forged"] += 1
            self._forge(forged_url, body, may_be)

    def _forge(self, url: str, body: str, may_be: frozenset[int]) -> None:
        event = callback_event(url, body)

        def on_end(result: Any, error: BaseException | None) -> None:
            # A secret may have been retired meanwhile, and then its token is as good as none.
            is_open = self.secrets.open(event)
            self.invariants.forged(
                500 if error else int(result["statusCode"]),
                may_be=may_be if is_open else may_be | {401},
            )

        self.functions.invoke(RECEIVER, event, on_end)

    def _taken(self, request: Mapping[str, Any]) -> None:
        self.simulation.check(lambda: self.invariants.taken(request))

    def _is_identified(self, runpod_id: str) -> bool:
        """Has our record learnt this id, so that another can't pass for it?"""
        _, calls = self.store.items()
        return any(
            attempt.runpod_id == runpod_id for call in calls.values() for attempt in call.attempts
        )

    def _delete(self, key: str, upload: Upload) -> None:
        if not upload.is_replaced:
            self.s3.delete_object(Bucket=TRANSCRIPTS, Key=key)
            self.simulation.record("somebody", f"deletes {key}")
            for each in self.uploads.values():
                each.is_deleted = each.is_deleted or each.key == key

    def _take_message(self, body: str, on_end: Callable[[bool], None]) -> None:
        event = sqs_batch(body)

        def ended(result: Any, error: BaseException | None) -> None:
            on_end(error is None and not result["batchItemFailures"])

        self.functions.invoke(SUBMITTER, event, ended)


def run_seed(
    seed: int,
    output: io.StringIO,
    *,
    profile: FaultProfile | None = None,
    keeps_history: bool = False,
) -> Outcome:
    """Play one run to its end, inside `simulated()`, whose output is `output`."""
    random = Random(seed)  # noqa: S311 - a simulation's
    simulation = Simulation(random, profile=profile or draw_profile(random))
    was = simulation.profile
    output.seek(0)
    output.truncate()
    os.environ["VERIFY_CALLBACKS"] = random.choice(("true", "false"))
    os.environ["MODE"] = random.choice(("push", "push", "pull"))
    run = Run(simulation)
    broken = ""
    # In half of the runs stages are large enough for their calls to be counted in groups.
    counted_together = mock.patch("core.jobs.job.COUNTED_TOGETHER", 2 if seed % 2 else 64)
    try:
        with counted_together:
            _plan(run)
            _play(run, output)
        if was == CALM:
            run.invariants.all_succeeded()
        if was.lets_sweeps_work:
            run.invariants.nothing_paid_for_is_lost()
    except Broken as exc:
        broken = str(exc)
    except Exception:
        import traceback

        broken = traceback.format_exc()
    simulation.end()
    jobs, _ = run.store.items()
    return Outcome(
        seed=seed,
        profile=was,
        jobs=Counter(job.reason_code or job.state.value for job in jobs.values()),
        gpu_runs=len(run.runpod.jobs),
        effects=simulation.effects,
        tally=simulation.tally,
        broken=broken,
        history=tuple(simulation.history) if broken or keeps_history else (),
    )


def _plan(run: Run) -> None:
    """Put on the agenda who does what when."""
    simulation, random = run.simulation, run.simulation.random

    def upload(key: str) -> None:
        is_good = not simulation.happens(simulation.profile.bad_files)
        run.upload(key, _good_file(random) if is_good else _bad_file(random), is_good=is_good)

    keys = [f"calls/{name}.txt" for name in ("a", "b", "a b+c", "ü")]
    keys += ["summary-mode=pull/a.txt", "summary-mode=push/a.txt"]
    keys += [f"summary-strategy=outline/{name}.txt" for name in ("a", "b", "c")]
    for _ in range(random.choice((1, 1, 2, 3, 4))):
        at = _UPLOADS_UNTIL_SECONDS * random.random()
        key = random.choice(keys)
        simulation.after(at, lambda key=key: upload(key))  # type: ignore[misc]

    _plan_glossaries(run)

    def sweep() -> None:
        if not simulation.happens(simulation.profile.sweeps_skipped):
            run.sweep()
        simulation.after(_SWEEP_SECONDS, sweep)

    simulation.after(_SWEEP_SECONDS * random.random(), sweep)
    if simulation.happens(simulation.profile.redeployments):
        for deployment in random.sample(DEPLOYMENTS, k=random.choice((1, 2))):
            simulation.after(
                3_600 * random.random(), lambda each=deployment: run.functions.deploy(each)
            )  # type: ignore[misc]
    for _ in range(random.choice((0, 0, 2, 6))):
        simulation.after(5_400 * random.random(), run.forge)
    if random.random() < 0.3:
        at = _UPLOADS_UNTIL_SECONDS * random.random()
        simulation.after(at, lambda: run.secrets.announce(b"n" * 40))
        simulation.after(at + SECRETS_KEPT_SECONDS, run.secrets.use)
        simulation.after(at + SECRETS_KEPT_SECONDS + _JOB_SECONDS, run.secrets.retire)


def _plan_glossaries(run: Run) -> None:
    """Put a glossary into some folders, while their uploads are under way."""
    simulation, random = run.simulation, run.simulation.random

    def put(folder: str) -> None:
        simulation.record("somebody", f"puts a glossary into {folder}/")
        simulation.tally["glossaries"] += 1
        run.s3.upload(f"{folder}/_glossary.txt", random.choice(_GLOSSARIES))

    for folder in ("calls", "summary-strategy=outline"):
        if random.random() < 0.2:
            at = _UPLOADS_UNTIL_SECONDS * random.random()
            simulation.after(at, lambda folder=folder: put(folder))  # type: ignore[misc]


def _play(run: Run, output: io.StringIO) -> None:
    simulation = run.simulation
    outages = (run.s3.outage, run.runpod.outage)
    calm_from_seconds = max(_CALM_FROM_SECONDS, *(each.until_seconds for each in outages))
    while simulation.now_seconds < calm_from_seconds:
        if simulation.now_seconds > _UPLOADS_UNTIL_SECONDS and run.invariants.is_quiet():
            break
        simulation.step()
    simulation.profile = CALM
    run.queue.redrive()
    until_seconds = calm_from_seconds + _PATIENCE_SECONDS
    while not run.invariants.is_quiet() and simulation.now_seconds < until_seconds:
        simulation.step()
    run.invariants.at_rest(output.getvalue())


def _good_file(random: Random) -> bytes:
    words = random.choice((150, 400, 900, 2_600, 4_000))
    return f"Mara: {PRIVATE} {random.random()}.\n{a_transcript(words, markers=4)}".encode()


def _bad_file(random: Random) -> bytes:
    return random.choice((b"", b"  \n\n", b"\x00\x01\x02\xff" * 64, b"word " * 30_000))


def _job_id(source: dict[str, Any]) -> str:
    return job_id_for(
        Source(
            bucket=TRANSCRIPTS,
            key=source["key"],
            version_id=source["version_id"],
            etag=source["etag"],
            sequencer=source["sequencer"],
            uploaded_at=datetime.fromisoformat(source["at"]),
        )
    )


def _read(event: dict[str, Any]) -> tuple[CallRef, dict[str, Any]] | None:
    path = event["pathParameters"]
    if not event["body"]:
        return None
    return CallRef(path["job_id"], path["call_id"], int(path["attempt"])), json.loads(event["body"])


def _a_lie(runpod_id: str) -> dict[str, Any]:
    return completed_body("a summary of somebody else's making", id=runpod_id)
