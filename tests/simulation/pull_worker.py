"""The worker of pull mode on RunPod: fetches, writes, puts and reports; some of it goes wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from core.errors import BadTranscript
from core.runpod.work_order import ERROR_PREFIX, WorkOrder, parse_work_order
from core.summaries.goals import goal_of
from core.summaries.passages import Passages, numbered
from core.summaries.rounds import GivenUp
from core.transcripts.reader import read_transcript
from tests.builders import a_manifest, failed_body, lost_body, manifest_body
from tests.fakes.memory import MemoryS3, presigned
from tests.simulation.simulation import Simulation
from tests.writing_model import WritingModel, driven

_MOST_BYTES = 100_000
FAULTS = (
    "fetch expired",
    "worker lost after its PUT",
    "manifest without an object",
    "object unlike its manifest",
    "PUT refused",
)


@dataclass(frozen=True)
class Made:
    """How an order ended, and the text that can be had of it."""

    body: dict[str, Any]
    text: str = ""


@dataclass(frozen=True)
class PullWorker:
    simulation: Simulation
    s3: MemoryS3

    def make(
        self, request: Mapping[str, Any], model: WritingModel, mark: str, age_seconds: float
    ) -> Made:
        """Carry out an order that was signed so long ago. Its requests to S3 are not scheduled.

        What is delivered ends with the mark, which distinguishes it from another attempt's.
        """
        simulation = self.simulation
        fault = (
            simulation.random.choice(FAULTS)
            if simulation.happens(simulation.profile.pulls_broken)
            else ""
        )
        if fault:
            simulation.tally[f"worker: {fault}"] += 1
        order = parse_work_order(request["input"])
        if fault == "fetch expired" or _is_dead(order.get_url, age_seconds):
            return _trouble("fetch-expired")
        try:
            passages = self._fetch(order)
        except BadTranscript as exc:
            return _trouble(exc.code)
        goal = goal_of(
            order.options, passages.words, boundary=order.job_id, glossary=order.glossary
        )
        end = driven(passages, goal, order.limits, model).end
        if isinstance(end, GivenUp):
            self.simulation.tally["pull: a model with bad habits"] += 1
            return _trouble(end.code)
        return self._deliver(order, f"{end.text}\n\n{mark}", passages.words, fault)

    def _fetch(self, order: WorkOrder) -> Passages:
        asked = presigned(order.get_url)
        version = {"VersionId": asked["VersionId"]} if "VersionId" in asked else {}
        if "IfMatch" in asked:
            version = {"IfMatch": order.get_headers["If-Match"]}
        try:
            answer = MemoryS3.get_object(
                self.s3, Bucket=asked["Bucket"], Key=asked["Key"], **version
            )
        except ClientError as exc:
            is_replaced = exc.response["Error"]["Code"] == "PreconditionFailed"
            raise BadTranscript("replaced" if is_replaced else "deleted", "") from exc
        body = answer["Body"].read()
        if len(body) > _MOST_BYTES:
            raise BadTranscript("too-large", "")
        try:
            turns = read_transcript(body, max_bytes=_MOST_BYTES).turns
        except BadTranscript as exc:
            raise BadTranscript("unreadable", "") from exc
        return numbered(order.glossary.applied_to_turns(turns))

    def _deliver(self, order: WorkOrder, text: str, words_in: int, fault: str) -> Made:
        body = text.encode()
        manifest = a_manifest(body, words_in=words_in, target_words=order.options.words)
        if fault == "PUT refused":
            return Made(manifest_body(replace(manifest, text=text)), text)
        if fault == "manifest without an object":
            return Made(manifest_body(manifest))
        asked = presigned(order.put_url)
        MemoryS3.put_object(self.s3, Bucket=asked["Bucket"], Key=asked["Key"], Body=body)
        if fault == "worker lost after its PUT":
            return Made(lost_body())
        if fault == "object unlike its manifest":
            return Made(manifest_body(replace(manifest, sha256="0" * 64)))
        return Made(manifest_body(manifest), text)


def _is_dead(url: str, age_seconds: float) -> bool:
    return age_seconds > float(presigned(url)["seconds"])


def _trouble(code: str) -> Made:
    return Made(failed_body(f"{ERROR_PREFIX}{code}"))
