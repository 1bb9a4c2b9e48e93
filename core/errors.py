"""Every error of ours, one class for each different reaction.

PipelineError
├── SettingsError      the deployment is wrong: stop; the message names the variable
├── BadTranscript      the upload can't be summarised: end the job as failed with this reason
│   └── Forbidden      we may not read or write it: try once or twice more, then the same
├── JobExists          a duplicate event: leave the job to whoever recorded it
├── UnknownCall        no such job or call: answer 404
├── Conflict           somebody else wrote first: load again and decide again
├── Superseded         a newer upload of the same file has its summary already: end the job as failed
├── BadToken           answer 401, read nothing
├── BadBody            answer 400
├── ForeignRequest     the body is about another RunPod request than the call's: answer 409
└── RunPodError
    ├── RunPodRefused  it will never take this: end the job as failed with this reason
    ├── RunPodBusy     it took nothing: try again later; costs no attempt
    ├── RunPodFailed   it broke; it may have taken the request: try again soon; costs an attempt
    └── RunPodSilent   no answer; it may well have taken the request: give the callback its time first
"""


class PipelineError(Exception):
    """The base of every error raised on purpose. Messages never carry secrets or transcript text."""


class SettingsError(PipelineError):
    """A variable is missing or wrong."""


class BadTranscript(PipelineError):
    """The upload can't be summarised, now or later. `code` is stable, the message is for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Forbidden(BadTranscript):
    """S3 or KMS refuses us an object. A grant made a moment ago may not hold everywhere yet."""


class JobExists(PipelineError):
    """This upload has its job already."""


class UnknownCall(PipelineError):
    """No job or call of that id is recorded."""


class Conflict(PipelineError):
    """The item changed since it was loaded."""


class Superseded(PipelineError):
    """A newer upload of the same file has its summary already."""


class BadToken(PipelineError):
    """The callback token is missing, malformed or wrong."""


class BadBody(PipelineError):
    """The callback's body is not a RunPod job."""


class ForeignRequest(PipelineError):
    """The body's id is not the RunPod request that this attempt made."""


class RunPodError(PipelineError):
    """The RunPod endpoint did not do what it was asked."""


class RunPodRefused(RunPodError):
    """A request that RunPod will never take: 400, 401, 403, 404, or an answer without a job id."""


class RunPodBusy(RunPodError):
    """RunPod took nothing: 429, or no connection could be made."""


class RunPodFailed(RunPodError):
    """RunPod, or what stands before it, answered 5xx."""


class RunPodSilent(RunPodError):
    """The request went out and no answer came back."""
