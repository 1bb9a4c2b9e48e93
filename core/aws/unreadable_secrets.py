"""Why a secret can't be read: by AWS's code and never in its words, which nobody has checked."""

from botocore.exceptions import ClientError

_TROUBLES = {
    "ResourceNotFoundException": "it does not exist, or has no value; create it, or put its value",
    "AccessDeniedException": "the function may not read it; check the function's role and, if the"
    " secret has a KMS key of its own, that key's policy",
    "DecryptionFailure": "it can't be decrypted; check its KMS key",
    "InvalidRequestException": "it is marked for deletion, or has no value; restore it",
}


def unreadable(name: str, exc: Exception | None) -> str:
    """Say which secret can't be read, why, and what to do."""
    if not isinstance(exc, ClientError):
        return f"secret {name} can't be read: Secrets Manager did not answer; it is tried again"
    code = exc.response["Error"]["Code"]
    return f"secret {name} can't be read: {_TROUBLES.get(code, 'it is tried again')} ({code})"


def empty(name: str) -> str:
    return f"secret {name} is empty; put its value into Secrets Manager"
