"""Every error of ours, one class for each different reaction.

PipelineError
├── SettingsError      the deployment is wrong: stop; the message names the variable
│   └── SecretUnusable a secret can't be read, or holds nothing usable: hold what needs it, and try again
├── BadTranscript      the upload can't be summarised: end the job as failed with this reason
│   └── Forbidden      we may not read or write it: try once or twice more, then the same
├── JobExists          a duplicate event: leave the job to whoever recorded it
├── UnknownCall        no such job or call: answer 404
├── NewerRecord        a newer release wrote it: change nothing; it goes on once that release is back
├── Conflict           others wrote first, or are writing: load again and decide again
├── Superseded         a newer upload of the same file has its summary already: end the job as failed
├── OutputRefused      S3 does not take or give what the pipeline writes: again later, but not for ever
├── BadToken           answer 401, read nothing
├── BadBody            answer 400
├── NotYetKnown        RunPod's id of the attempt is not on record yet: answer 503, so that it comes again
├── NoticesNotTaken    EventBridge took a notice not yet: raise, so that the stream brings it again
├── ForeignRequest     the body is about another RunPod request than the call's: answer 409
└── RunPodError
    ├── RunPodRefused  it will never take this: end the job as failed with this reason
    ├── RunPodKeyUnusable  the API key can't be read, or RunPod refuses it: hold, and try again
    ├── RunPodBusy     it took nothing: try again later; costs no attempt
    ├── RunPodFailed   it broke; it may have taken the request: try again soon; costs an attempt
    └── RunPodSilent   no answer; it may well have taken the request: give the callback its time first
"""

from core.failures import Failure


class PipelineError(Exception):
    """The base of every error raised on purpose. Messages never carry secrets or transcript text."""


class SettingsError(PipelineError):
    """A variable is missing or wrong."""


class SecretUnusable(SettingsError):
    """A secret is missing, unreadable or malformed. The message says which, why, and what to do."""


class BadTranscript(PipelineError):
    """The upload can't be summarised, now or later, for a reason of core/failures.py's table."""

    def __init__(self, code: str, message: str = "") -> None:
        self.failure = Failure(code, message)
        super().__init__(self.failure.message)

    @property
    def code(self) -> str:
        return self.failure.code


class Forbidden(BadTranscript):
    """S3 or KMS refuses us an object. A grant made a moment ago may not hold everywhere yet."""


class JobExists(PipelineError):
    """This upload has its job already."""


class UnknownCall(PipelineError):
    """No job or call of that id is recorded."""


class NewerRecord(PipelineError):
    """The record is of a schema that this release can't read: a newer one was deployed and taken back."""


class Conflict(PipelineError):
    """The item changed since it was loaded, or others are writing to it: nothing was written.

    It does not say that somebody else has done what was to be done.
    """


class Superseded(PipelineError):
    """A newer upload of the same file has its summary already."""


class OutputRefused(PipelineError):
    """S3 refused an object of the output bucket; the message names operation, bucket and code."""


class BadToken(PipelineError):
    """The callback token is missing, malformed or wrong."""


class BadBody(PipelineError):
    """The callback's body is not a RunPod job."""


class NotYetKnown(PipelineError):
    """A callback can't be verified: RunPod's answer with the attempt's id is not on record yet."""


class NoticesNotTaken(PipelineError):
    """EventBridge did not take a notice, and may next time."""


class ForeignRequest(PipelineError):
    """The body's id is not the RunPod request that this attempt made."""


class RunPodError(PipelineError):
    """The RunPod endpoint did not do what it was asked."""


class RunPodRefused(RunPodError):
    """A request that RunPod will never take: 400, 404, 413, or an answer without a job id."""


class RunPodKeyUnusable(RunPodError):
    """Nothing was asked of RunPod, or it refused the API key (401, 403): it took nothing."""


class RunPodBusy(RunPodError):
    """RunPod surely took nothing: 429, no connection, or turned away by what stands before it."""


class RunPodFailed(RunPodError):
    """RunPod, or what stands before it, answered 5xx, 408 or 425, or not in its own words."""


class RunPodSilent(RunPodError):
    """The request went out and no answer came back."""
