"""Every reason for which a job, a call or an attempt fails: what happened, what to do, may a retry help?

The table in docs/operating.md is this one (tests/unit/test_failures.py). A code is stable, for machines;
the message that goes with it is for a person, and says more where more is known. It stays in one file,
however long: it is one table. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FailureKind:
    code: str
    happened: str
    advice: str
    may_help_to_retry: bool = False  # does another attempt, with fresh URLs, stand a chance?
    from_worker: bool = False  # one that the worker of pull mode may answer with


_IMAGE = "deploy the stack and the worker's image from the same version of this project"
_WORKER_LOG = "look at the worker's log in RunPod's console"

_KINDS = (
    # the upload
    FailureKind("empty", "the file holds no words", "upload a transcript with text in it"),
    FailureKind("not-text", "the file is no text", "export the transcript as plain text in UTF-8"),
    FailureKind(
        "unknown-encoding",
        "the file is not UTF-8, and its older encoding is uncertain",
        "save it as UTF-8 and upload it again",
    ),
    FailureKind(
        "unknown-format",
        "the file is JSON in which nothing was recognised as speech",
        "export it in a format that docs/formats.md lists",
    ),
    FailureKind(
        "damaged", "the file is cut short or broken", "export the transcript again, and upload it"
    ),
    FailureKind("scanned-pdf", "the PDF has pages but no text", "upload the transcript as text"),
    FailureKind(
        "too-large",
        "the file is larger than MaxTranscriptBytes, or than the worker takes",
        "split it, or raise the limit",
        from_worker=True,
    ),
    FailureKind(
        "unlisted-suffix",
        "the file's name does not end as InputSuffixes says",
        "export it in one of these formats, or rename it",
    ),
    FailureKind(
        "bad-option",
        "an option of the upload, in its metadata or its folder's name, is invalid",
        "correct it and upload the file again",
    ),
    FailureKind(
        "deleted",
        "the file was deleted before it could be read",
        "upload it again",
        from_worker=True,
    ),
    FailureKind(
        "replaced",
        "the file was replaced before it could be read",
        "nothing: its newer version has a job of its own",
        from_worker=True,
    ),
    FailureKind(
        "archived",
        "the file lies in an archive storage class",
        "upload it again in the class STANDARD",
    ),
    FailureKind(
        "unreadable",
        "S3 can't hand the file out (SSE-C), or the worker found no transcript in it",
        "upload it without SSE-C, in a format that docs/formats.md lists",
        from_worker=True,
    ),
    FailureKind(
        "forbidden",
        "S3 or KMS refused the file three times in twelve minutes",
        "add the grant that the reason names, then upload the file again",
    ),
    FailureKind(
        "reading-crashed",
        "reading a large file ended the function four times",
        "split it, or upload it again if there was an outage",
    ),
    FailureKind(
        "impossible",
        "no number of calls makes this summary with this context",
        "serve the model with a larger MAX_MODEL_LEN and set MaxModelLenTokens to it",
        from_worker=True,
    ),
    # the request to RunPod
    FailureKind(
        "refused-by-runpod",
        "RunPod will not take the request",
        "check RunPodEndpointId; the reason holds RunPod's status",
    ),
    FailureKind(
        "runpod-error",
        "RunPod broke on the request, which it may have taken",
        "nothing: it is sent again",
        may_help_to_retry=True,
    ),
    FailureKind(
        "not-taken",
        "RunPod had no room, or could not be reached",
        "nothing: it is sent again, and costs no attempt",
        may_help_to_retry=True,
    ),
    FailureKind(
        "requests-exhausted",
        "RunPod took none of fifty requests, or broke on the few that it took",
        "look at the endpoint; the reason holds the last answer",
    ),
    FailureKind(
        "held",
        "a secret could not be used for a day",
        "mend it as the reason says, then upload the file again",
    ),
    # what came of a request
    FailureKind(
        "unanswered",
        "RunPod gave no id for the request, and no callback came",
        "look at the endpoint if it happens often",
        may_help_to_retry=True,
    ),
    FailureKind(
        "lost-by-runpod",
        "RunPod does not know the request any more (404): its queue lost it, it outlived its ttl, or its"
        " result was not fetched within 30 minutes",
        "look at the sweeper's schedule and alarms if it happens often",
        may_help_to_retry=True,
    ),
    FailureKind(
        "timed-out",
        "RunPod timed the request out before a worker finished it",
        "look at the endpoint's workers",
        may_help_to_retry=True,
    ),
    FailureKind(
        "execution-timeout",
        "the request ran longer than ExecutionTimeoutSeconds",
        "raise it, or use a faster GPU",
    ),
    FailureKind(
        "cancelled", "the request was cancelled on RunPod", "upload the file again if need be"
    ),
    FailureKind(
        "worker-lost",
        "RunPod's worker stopped without an answer, also on RunPod's own retry",
        _WORKER_LOG,
        may_help_to_retry=True,
    ),
    FailureKind(
        "worker-error",
        "the worker reported an error",
        "look the request up in RunPod's console",
        may_help_to_retry=True,
    ),
    FailureKind(
        "context-length",
        "the prompt is longer than the endpoint's MAX_MODEL_LEN allows",
        "set MaxModelLenTokens to what the endpoint really serves",
    ),
    FailureKind(
        "model-refused",
        "the model server holds the request for invalid",
        "check the model's name and MaxTokens, and that the endpoint runs worker-vllm",
        from_worker=True,
    ),
    FailureKind(
        "no-output",
        "RunPod reported COMPLETED without a text in its output",
        _WORKER_LOG,
        may_help_to_retry=True,
    ),
    FailureKind(
        "no-answer",
        "the model gave nothing but its reasoning",
        "raise MaxTokens, or serve a model, or a reasoning parser, that keeps the two apart",
        may_help_to_retry=True,
    ),
    # the worker of pull mode
    FailureKind(
        "fetch-expired",
        "the worker came for the file when its URL had expired, or the session that signed it had ended",
        "more workers shorten the queue",
        may_help_to_retry=True,
        from_worker=True,
    ),
    FailureKind(
        "fetch-failed",
        "the worker could not fetch the file from S3, again and again",
        "see that its network reaches the bucket",
        may_help_to_retry=True,
        from_worker=True,
    ),
    FailureKind(
        "model-unavailable",
        "the worker's model server did not start, or went away",
        _WORKER_LOG,
        may_help_to_retry=True,
        from_worker=True,
    ),
    FailureKind(
        "model-failed",
        "the worker's model server answered errors again and again",
        _WORKER_LOG,
        may_help_to_retry=True,
        from_worker=True,
    ),
    FailureKind(
        "bad-work-order",
        "the worker does not understand the work order",
        _IMAGE,
        from_worker=True,
    ),
    FailureKind(
        "no-manifest",
        "the endpoint answered without a result manifest",
        "in pull mode it must run this project's worker",
    ),
    FailureKind(
        "unexpected-manifest",
        "the endpoint answered with a result manifest where a text was asked for",
        "give push mode an endpoint of its own",
    ),
    FailureKind(
        "result-missing",
        "the worker reported a summary, and none is where it should lie",
        _WORKER_LOG,
        may_help_to_retry=True,
    ),
    FailureKind(
        "result-damaged",
        "what the worker wrote is not what it reported: size, checksum or encoding differ",
        _WORKER_LOG,
        may_help_to_retry=True,
    ),
    # the pipeline
    FailureKind(
        "deadline",
        "no result came before the job's deadline",
        "see RunPod's console for what held it up, or raise JobDeadlineMinutes. RunPod scales an idle"
        " endpoint's workers down to 2 after three days and to 0 after seven",
    ),
    FailureKind(
        "polls-exhausted",
        "RunPod was asked MaxPollingAttempts times and was not done",
        "raise it, or look at the endpoint's workers in RunPod's console",
    ),
    FailureKind(
        "result-lost",
        "RunPod's result came and was not in S3 before RunPod forgot it",
        "look at the receiver's and the sweeper's logs, then upload the file again",
    ),
    FailureKind(
        "output-refused",
        "S3 did not take, or give, what the summary needs: three times at the upload, or past the deadline",
        "mend the bucket's policy, its key or the function's permissions, then upload the file again",
    ),
    FailureKind(
        "not-joined",
        "all texts were there, and the submitter did not get the summary into S3",
        "look at the submitter's log and the dead-letter queue, then upload the file again",
    ),
    FailureKind(
        "work-expired",
        "what the summary is made from was deleted from work/ before it was finished",
        "upload the file again",
    ),
    FailureKind(
        "text-missing",
        "a text that the model had written was deleted from work/ before the summary was finished",
        "upload the file again",
    ),
    FailureKind(
        "superseded",
        "a newer upload of the same file was summarised first",
        "nothing: the newer summary stands",
    ),
)

FAILURES: Mapping[str, FailureKind] = {kind.code: kind for kind in _KINDS}
WORKER_CODES = frozenset(kind.code for kind in _KINDS if kind.from_worker)


@dataclass(frozen=True)
class Failure:
    """Why an attempt brought no text, or a job or call ended without one."""

    code: str
    message: str = (
        ""  # what happened, to what, and what to do; the table's words where no more is known
    )

    def __post_init__(self) -> None:
        kind = FAILURES.get(self.code)
        if kind is None:
            raise AssertionError(f"{self.code} is not in the table of failures")
        if not self.message:
            object.__setattr__(self, "message", f"{kind.happened}; {kind.advice}")

    @property
    def may_help_to_retry(self) -> bool:
        return FAILURES[self.code].may_help_to_retry
