"""What a summary's copy on this machine is called: after its upload, and safe for any file system. Pure."""

from hashlib import sha256

INBOX = "inbox"  # beside the copies of `make up`: its files are uploaded
_LONGEST_NAME_BYTES = 200  # of a file; with what follows it, less than any file system's limit
_SHOWN_CHARACTERS = 40


def copy_name(key: str, summary_key: str) -> str:
    """Return the path of a summary's copies inside our folder: the upload's key, with its folders.

    A part that would lead elsewhere or is too long for a file system is replaced by a safe one with a hash.
    """
    name = key.removesuffix(".txt") if summary_key.endswith(f"/{key}") else key
    parts = [_fit_for_a_path(part) for part in name.split("/")]
    return "/".join(parts)


def _fit_for_a_path(part: str) -> str:
    if (
        part.strip(".")
        and part != INBOX
        and "\0" not in part
        and len(part.encode()) <= _LONGEST_NAME_BYTES
    ):
        return part
    digest = sha256(part.encode()).hexdigest()[:12]
    return f"{part.replace(chr(0), '')[:_SHOWN_CHARACTERS].strip('.')}~{digest}"
