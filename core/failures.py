"""Every reason for which a job, a call or an attempt fails: what happened, what to do, may a retry help?

The table in docs/operating.md is this one (tests/unit/test_failures.py). A code is stable, for machines;
the message that goes with it is for a person, and says more where more is known. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FailureKind:
    code: str
    happened: str
    advice: str
    may_help_to_retry: bool
    from_worker: bool
    is_for_the_uploader: bool


RETRY = "retry"  # another attempt, with fresh URLs, stands a chance
WORKER = "worker"  # the worker of pull mode may answer with it
# The file, or a person, ended the job, and who uploaded it decides what follows: nobody on call is wanted.
UPLOADER = "uploader"

# code, what happened, what to do, and flags
# fmt: off
_TABLE: tuple[tuple[str, ...], ...] = (
    # the upload
    ("empty", "the file holds no words", "upload a transcript with text in it", UPLOADER),
    ("not-text", "the file is no text", "export the transcript as plain text in UTF-8", UPLOADER),
    ("unknown-encoding", "the file is not UTF-8, and its older encoding is uncertain",
     "save it as UTF-8 and upload it again", UPLOADER),
    ("unknown-format", "the file is JSON in which nothing was recognised as speech",
     "export it in a format that docs/formats.md lists", UPLOADER),
    ("damaged", "the file is cut short or broken", "export the transcript again, and upload it", UPLOADER),
    ("scanned-pdf", "the PDF has pages but no text", "upload the transcript as text", UPLOADER),
    ("too-large", "the file is larger than MaxTranscriptBytes, or than the worker takes",
     "split it, or raise the limit", WORKER, UPLOADER),
    ("unlisted-suffix", "the file's name does not end as InputSuffixes says",
     "export it in one of these formats, or rename it", UPLOADER),
    ("bad-option", "an option of the upload, in its metadata or its folder's name, is invalid",
     "correct it and upload the file again", UPLOADER),
    ("deleted", "the file was deleted before it could be read", "upload it again", WORKER, UPLOADER),
    ("replaced", "the file was replaced before it could be read",
     "nothing: its newer version has a job of its own", WORKER, UPLOADER),
    ("archived", "the file lies in an archive storage class",
     "upload it again in the class STANDARD", UPLOADER),
    ("unreadable", "S3 can't hand the file out (SSE-C), or the worker found no transcript in it",
     "upload it without SSE-C, in a format that docs/formats.md lists", WORKER, UPLOADER),
    ("forbidden", "S3 or KMS refused the file three times in twelve minutes",
     "add the grant that the reason names, then upload the file again"),
    ("reading-crashed", "reading a large file ended the function four times",
     "split it, or upload it again if there was an outage"),
    ("impossible", "no number of calls makes this summary with this context",
     "serve the model with a larger MAX_MODEL_LEN and set MaxModelLenTokens to it", WORKER),
    # the request to RunPod
    ("refused-by-runpod", "RunPod will not take the request",
     "check RunPodEndpointId; the reason holds RunPod's status"),
    ("runpod-error", "RunPod broke on the request, which it may have taken",
     "nothing: it is sent again", RETRY),
    ("not-taken", "RunPod had no room, or could not be reached",
     "nothing: it is sent again, and costs no attempt", RETRY),
    ("requests-exhausted", "RunPod took none of fifty requests, or broke on the few that it took",
     "look at the endpoint; the reason holds the last answer"),
    ("held", "a secret could not be used for a day",
     "mend it as the reason says, then upload the file again"),
    # what came of a request
    ("unanswered", "RunPod gave no id for the request, and no callback came",
     "look at the endpoint if it happens often", RETRY),
    ("lost-by-runpod",
     "RunPod no longer knows the request (404): lost, past its ttl, or not fetched within 30 minutes",
     "look at the sweeper's schedule and alarms if it happens often", RETRY),
    ("timed-out", "RunPod timed the request out before a worker finished it",
     "look at the endpoint's workers", RETRY),
    ("execution-timeout", "the request ran longer than ExecutionTimeoutSeconds",
     "raise it, or use a faster GPU"),
    ("cancelled", "the request was cancelled on RunPod", "upload the file again if need be"),
    ("worker-lost", "RunPod's worker stopped without an answer, also on RunPod's own retry",
     "look at the worker's log in RunPod's console", RETRY),
    ("worker-error", "the worker reported an error", "look the request up in RunPod's console", RETRY),
    ("context-length", "the prompt is longer than the endpoint's MAX_MODEL_LEN allows",
     "set MaxModelLenTokens to what the endpoint really serves", WORKER),
    ("model-refused", "the model server holds the request for invalid",
     "check the model's name and MaxTokens, and that the endpoint runs worker-vllm", WORKER),
    ("no-output", "RunPod reported COMPLETED without a text in its output",
     "look at the worker's log in RunPod's console", RETRY),
    ("no-answer", "the model gave no text, or nothing but its reasoning",
     "raise MaxTokens, or serve a model, or a reasoning parser, that keeps the two apart", RETRY, WORKER),
    # what the model wrote
    ("model-declined", "the model declined to write about the transcript",
     "try another model, or a prompt set that fits the material", WORKER),
    ("model-unusable", "what the model wrote could not be used, however often it was asked",
     "try again, or another model", WORKER),
    ("summary-incomplete", "a topic of the outline was missing in the end",
     "try again, or another model", WORKER),
    ("too-many-calls", "the summary would take too many rounds or calls",
     "serve the model with a larger MAX_MODEL_LEN, or split the transcript", WORKER),
    # the worker of pull mode
    ("fetch-expired",
     "the worker came for the file after its URL had expired, or the session that signed it had ended",
     "more workers shorten the queue", RETRY, WORKER),
    ("fetch-failed", "the worker could not fetch the file from S3, again and again",
     "see that its network reaches the bucket", RETRY, WORKER),
    ("model-unavailable", "the worker's model server did not start, or went away",
     "look at the worker's log in RunPod's console", RETRY, WORKER),
    ("model-failed", "the worker's model server answered errors again and again",
     "look at the worker's log in RunPod's console", RETRY, WORKER),
    ("bad-work-order", "the worker does not understand the work order",
     "deploy the stack and the worker's image from the same version of this project", WORKER),
    ("no-manifest", "the endpoint answered without a result manifest",
     "in pull mode it must run this project's worker"),
    ("unexpected-manifest", "the endpoint answered with a result manifest where a text was asked for",
     "give push mode an endpoint of its own"),
    ("result-missing", "the worker reported a summary, and none is where it should lie",
     "look at the worker's log in RunPod's console", RETRY),
    ("result-damaged", "what the worker wrote is not what it reported: size, checksum or encoding differ",
     "look at the worker's log in RunPod's console", RETRY),
    # the pipeline
    ("cancelled-by-operator", "an operator cancelled the job",
     "retry it, or upload the file again, if it is wanted", UPLOADER),
    ("deadline", "no result came before the job's deadline",
     "see RunPod's console for what held it up (no workers?), or raise JobDeadlineMinutes"),
    ("polls-exhausted", "RunPod was asked MaxPollingAttempts times and was not done",
     "raise it, or look at the endpoint's workers in RunPod's console"),
    ("result-lost", "RunPod's result came and was not in S3 before RunPod forgot it",
     "look at the receiver's and the sweeper's logs, then upload the file again"),
    ("output-refused",
     "S3 did not take, or give, what the summary needs, three times at the upload or past the deadline",
     "mend the bucket's policy, its key or the function's permissions, then upload the file again"),
    ("not-published", "all texts were there, and the submitter did not get the summary into S3",
     "look at the submitter's log and the dead-letter queue, then upload the file again"),
    ("work-expired", "what the summary is made from was deleted from work/ before it was finished",
     "upload the file again"),
    ("text-missing",
     "a text of the model was deleted from work/ before the summary was finished",
     "upload the file again"),
    ("superseded", "a newer upload of the same file was summarised first",
     "nothing: the newer summary stands", UPLOADER),
)
# fmt: on

FAILURES: Mapping[str, FailureKind] = {
    code: FailureKind(code, happened, advice, RETRY in flags, WORKER in flags, UPLOADER in flags)
    for code, happened, advice, *flags in _TABLE
}
WORKER_CODES = frozenset(code for code, kind in FAILURES.items() if kind.from_worker)


@dataclass(frozen=True)
class Failure:
    """Why an attempt brought no text, or a job or call ended without one.

    The message says what happened, to what, and what to do: the table's words where no more is known.
    """

    code: str
    message: str = ""

    def __post_init__(self) -> None:
        kind = FAILURES.get(self.code)
        if kind is None:
            raise AssertionError(f"{self.code} is not in the table of failures")
        if not self.message:
            object.__setattr__(self, "message", f"{kind.happened}; {kind.advice}")

    @property
    def may_help_to_retry(self) -> bool:
        return FAILURES[self.code].may_help_to_retry
