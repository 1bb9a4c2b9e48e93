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

from core.jobs.callback import CallRef
from core.jobs.model import Source, job_id_for
from tests.builders import SECRET, completed_body
from tests.fakes.lambda_events import callback_event, eventbridge_event, s3_notification, sqs_batch
from tests.fakes.model import a_transcript
from tests.simulation.fault_profile import CALM, Weather, drawn
from tests.simulation.functions import (
    DEPLOYMENTS,
    RECEIVER,
    SUBMITTER,
    SWEEPER,
    Clients,
    Functions,
)
from tests.simulation.invariants import Broken, Promises, Upload
from tests.simulation.platform import PRIVATE, Answer, Endpoint, Platform
from tests.simulation.pull_worker import PullWorker
from tests.simulation.scheduler import Killed
from tests.simulation.services import (
    SECRETS_KEPT_SECONDS,
    TRANSCRIPTS,
    Queue,
    Secrets,
    SteppedS3,
    SteppedStore,
)
from tests.simulation.world import Line, World

_SWEEP_SECONDS = 120.0
_UPLOADS_UNTIL_SECONDS = 1_800.0
_CALM_FROM_SECONDS = 2 * 3_600.0  # the weather's end; whatever is left must end soon after
_PATIENCE_SECONDS = 4 * 3_600.0
_JOB_SECONDS = 65 * 60.0  # the deadline, and as long as a function may keep what it knows


@dataclass(frozen=True)
class Outcome:
    """What came of one run."""

    seed: int
    weather: Weather
    jobs: Counter[str]  # by state, or by reason
    gpu_runs: int
    effects: int
    tally: Counter[str]  # what went wrong, how often
    broken: str = ""  # the promise that did not hold
    history: tuple[Line, ...] = ()


@dataclass
class Story:
    world: World
    settings: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    is_over: bool = False

    def __post_init__(self) -> None:
        world = self.world
        self.store = SteppedStore(world)
        self.s3 = SteppedS3(world, versioned=world.random.random() < 0.5)
        self.queue = Queue(world, self._take_message)
        self.secrets = Secrets((SECRET,))
        self.platform = Platform(
            world,
            self.post,
            PullWorker(world, self.s3),
            outage=world.outage(world.weather.runpod_outages),
        )
        self.promises = Promises(
            world=world,
            store=self.store,
            s3=self.s3,
            queue=self.queue,
            platform=self.platform,
            uploads=self.uploads,
        )
        endpoint = Endpoint(self.platform, self._taken, self.promises.was_refused)
        self.functions = Functions(
            Clients(world, self.store, self.s3, self.queue, self.secrets, endpoint)
        )
        world.looks.append(self.promises.look)

    # ---- who acts

    def upload(self, key: str, body: bytes, *, is_good: bool) -> None:
        """Put an object; S3 tells of it at least once."""
        world = self.world
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
            "at": world.now().isoformat(),
        }
        upload = Upload(key=key, order=len(earlier), is_good=is_good, body=body)
        self.uploads[_job_id(source)] = upload
        world.tell("somebody", f"uploads {key}, {len(body):,} bytes, good: {is_good}")
        announce = eventbridge_event if world.random.random() < 0.5 else s3_notification
        message = json.dumps(announce(**source))
        for _ in range(2 if world.happens(world.weather.messages_repeated) else 1):
            self.queue.put(message, 30 * world.random.random() ** 4)
        if world.happens(world.weather.deletions):
            world.after(300 * world.random.random(), lambda: self._delete(key, upload))

    def sweep(self) -> None:
        began = self.world.now()

        def ended(_result: Any, error: BaseException | None) -> None:
            if not isinstance(error, Killed):
                self.world.check(lambda: self.promises.swept(began))

        self.functions.invoke(SWEEPER, {}, ended)

    def post(self, url: str, body: str, answered: Answer) -> None:
        """Deliver a callback through the gateway."""
        event = callback_event(url, body)
        ref_and_body = _read(event)

        def on_end(result: Any, error: BaseException | None) -> None:
            status = 500 if error else int(result["statusCode"])
            self.world.tally[f"callbacks answered {status}"] += 1
            if status == 401 and self.secrets.open(event):
                raise Broken("a callback of RunPod's was taken for a stranger's")
            if ref_and_body:
                self.promises.answered(*ref_and_body, status)
            answered(status)

        self.functions.invoke(RECEIVER, event, on_end)

    def forge(self) -> None:
        """Call back about something with a token, or a report, that is not its own."""
        jobs = list(self.platform.jobs.values())
        if not jobs:
            return
        random = self.world.random
        victim, other = random.choice(jobs), random.choice(jobs)
        url = str(victim.request["webhook"])
        rest, _, token = url.rpartition("/")
        told = json.dumps(_a_lie(victim.id))
        unauthorized = frozenset({401, 500})
        forgeries: list[tuple[str, str, frozenset[int]]] = [
            (f"{rest}/{token[:-1]}", told, unauthorized),
            (f"{rest}/{token[::-1]}", told, unauthorized),
            (f"{rest}/tøken", told, unauthorized),
            (url, json.dumps(_a_lie("rp-of-somebody-else")), frozenset({409, 500})),
            (url, "not JSON", frozenset({400, 500})),
        ]
        if other.ref != victim.ref:
            others = str(other.request["webhook"]).rpartition("/")[2]
            forgeries.append((f"{rest}/{others}", told, unauthorized))
        forged_url, body, may_be = random.choice(forgeries)
        if self._is_identified(victim.id) or 409 not in may_be:
            self.world.tally["callbacks forged"] += 1
            self._forge(forged_url, body, may_be)

    def _forge(self, url: str, body: str, may_be: frozenset[int]) -> None:
        event = callback_event(url, body)

        def on_end(result: Any, error: BaseException | None) -> None:
            # A secret may have been retired meanwhile, and then its token is as good as none.
            is_open = self.secrets.open(event)
            self.promises.forged(
                500 if error else int(result["statusCode"]),
                may_be=may_be if is_open else may_be | {401},
            )

        self.functions.invoke(RECEIVER, event, on_end)

    def _taken(self, request: Mapping[str, Any]) -> None:
        self.world.check(lambda: self.promises.taken(request))

    def _is_identified(self, runpod_id: str) -> bool:
        """Has our record learnt this id, so that another can't pass for it?"""
        _, calls = self.store.items()
        return any(
            attempt.runpod_id == runpod_id for call in calls.values() for attempt in call.attempts
        )

    def _delete(self, key: str, upload: Upload) -> None:
        if not upload.is_replaced:
            self.s3.delete_object(Bucket=TRANSCRIPTS, Key=key)
            self.world.tell("somebody", f"deletes {key}")
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
    weather: Weather | None = None,
    keeps_history: bool = False,
) -> Outcome:
    """Play one run to its end, inside `simulated()`, whose output is `output`."""
    random = Random(seed)  # noqa: S311 - a simulation's
    world = World(random, weather=weather or drawn(random))
    was = world.weather
    output.seek(0)
    output.truncate()
    os.environ["VERIFY_CALLBACKS"] = random.choice(("true", "false"))
    os.environ["MODE"] = random.choice(("push", "push", "pull"))
    story = Story(world)
    broken = ""
    try:
        _plan(story)
        _play(story, output)
        if was == CALM:
            story.promises.all_succeeded()
        if was.lets_sweeps_work:
            story.promises.nothing_paid_for_is_lost()
    except Broken as exc:
        broken = str(exc)
    except Exception as exc:
        broken = f"{type(exc).__name__}: {exc}"
    world.end()
    jobs, _ = story.store.items()
    return Outcome(
        seed=seed,
        weather=was,
        jobs=Counter(job.reason_code or job.state.value for job in jobs.values()),
        gpu_runs=len(story.platform.jobs),
        effects=world.effects,
        tally=world.tally,
        broken=broken,
        history=tuple(world.history) if broken or keeps_history else (),
    )


def _plan(story: Story) -> None:
    """Put on the agenda who does what when."""
    world, random = story.world, story.world.random

    def upload(key: str) -> None:
        is_good = not world.happens(world.weather.bad_files)
        story.upload(key, _good_file(random) if is_good else _bad_file(random), is_good=is_good)

    keys = [f"calls/{name}.txt" for name in ("a", "b", "a b+c", "ü")]
    keys += ["summary-mode=pull/a.txt", "summary-mode=push/a.txt"]
    for _ in range(random.choice((1, 1, 2, 3, 4))):
        at = _UPLOADS_UNTIL_SECONDS * random.random()
        key = random.choice(keys)
        world.after(at, lambda key=key: upload(key))  # type: ignore[misc]

    def sweep() -> None:
        if not world.happens(world.weather.sweeps_skipped):
            story.sweep()
        world.after(_SWEEP_SECONDS, sweep)

    world.after(_SWEEP_SECONDS * random.random(), sweep)
    if world.happens(world.weather.redeployments):
        for deployment in random.sample(DEPLOYMENTS, k=random.choice((1, 2))):
            world.after(
                3_600 * random.random(), lambda each=deployment: story.functions.deploy(each)
            )  # type: ignore[misc]
    for _ in range(random.choice((0, 0, 2, 6))):
        world.after(5_400 * random.random(), story.forge)
    if random.random() < 0.3:
        at = _UPLOADS_UNTIL_SECONDS * random.random()
        world.after(at, lambda: story.secrets.announce(b"n" * 40))
        world.after(at + SECRETS_KEPT_SECONDS, story.secrets.use)
        world.after(at + SECRETS_KEPT_SECONDS + _JOB_SECONDS, story.secrets.retire)


def _play(story: Story, output: io.StringIO) -> None:
    world = story.world
    outages = (story.s3.outage, story.platform.outage)
    calm_from_seconds = max(_CALM_FROM_SECONDS, *(each.until_seconds for each in outages))
    while world.now_seconds < calm_from_seconds:
        if world.now_seconds > _UPLOADS_UNTIL_SECONDS and story.promises.is_quiet():
            break
        world.step()
    world.weather = CALM
    story.queue.redrive()
    until_seconds = calm_from_seconds + _PATIENCE_SECONDS
    while not story.promises.is_quiet() and world.now_seconds < until_seconds:
        world.step()
    story.promises.at_rest(output.getvalue())


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
