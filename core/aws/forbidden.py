"""From S3's refusal to a reason that says which grant is missing. Pure."""

import re

from botocore.exceptions import ClientError

from core.errors import Forbidden

# An answer to HEAD has no body, so no code but its status.
_REFUSED = frozenset({"AccessDenied", "403", "Forbidden", "AllAccessDisabled"})
_KEY_UNUSABLE = re.compile(r"KMS\.\w+")  # disabled, deleted, or about to be
_KMS_ACTION = re.compile(r"\bkms:\w+")
_KMS_KEY = re.compile(r"\barn:[\w-]+:kms:[\w-]*:\d*:(?:key|alias)/[\w/-]+")


def forbidden(exc: ClientError, doing: str) -> Forbidden | None:
    """Return a refusal of S3 or KMS as a failure that names the grant; None for any other error."""
    error = exc.response["Error"]
    code, said = error.get("Code", ""), error.get("Message", "")
    named = _KMS_KEY.search(said)
    key = f"the KMS key {named[0]}" if named else "the KMS key of the object or its bucket"
    if _KEY_UNUSABLE.fullmatch(code):
        return Forbidden(
            "forbidden",
            f"{doing} failed: {key} can't be used ({code}); enable it, or encrypt with another,"
            " then upload the file again",
        )
    if code not in _REFUSED:
        return None
    action = _KMS_ACTION.search(said)
    if action:
        return Forbidden(
            "forbidden",
            f"{doing} was refused: {action[0]} on {key} is missing; set InputBucketKmsKeyArn or"
            " OutputBucketKmsKeyArn to it, see that the key's policy lets this account's roles use"
            " it, then upload the file again",
        )
    return Forbidden(
        "forbidden",
        f"S3 answered 403 to {doing}: {_ACTIONS.get(exc.operation_name, 's3:GetObject')} is missing,"
        " or a policy of the bucket denies it, or a KMS key's grant is missing (InputBucketKmsKeyArn,"
        " OutputBucketKmsKeyArn); allow it, then upload the file again",
    )


_ACTIONS = {"PutObject": "s3:PutObject", "GetObject": "s3:GetObject", "HeadObject": "s3:GetObject"}
