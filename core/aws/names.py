"""What things are called in S3: which names are transcripts, and where their summaries go. Pure."""

import re
from hashlib import sha256

WORK_PREFIX = "work/"  # beside the summaries; template.yaml lets it expire
_FOLDER_OF_HADOOP = "_$folder$"
_GLOSSARY = "_glossary"
_LONGEST_KEY_BYTES = 1024  # S3's limit
# Whatever is between a transcript and its summary is called so, and nothing else is: by these names the
# sweeper knows it in a bucket that its owner uses too.
_WORK_NAME = r"material|glossary|stage-\d+|(?:whole|\d+-\d+)(?:\.\d+)?"
_WORK_KEY = re.compile(rf"{WORK_PREFIX}[0-9a-f]{{32}}/(?:{_WORK_NAME})\.(?:txt|json)")
_CUT_NAME = re.compile(r"~[0-9a-f]{16}\.txt\Z")


def is_transcript_name(key: str, suffixes: tuple[str, ...]) -> bool:
    """Say whether a name ends as transcripts do, or so with `.gz` behind it."""
    name = key.lower()
    return name.endswith(suffixes) or name.removesuffix(".gz").endswith(suffixes)


def is_aside(key: str, suffixes: tuple[str, ...]) -> bool:
    """Say whether a name is one that nobody means as a transcript.

    A folder's placeholder, what a system leaves (`.DS_Store`, `_SUCCESS`), or a glossary beside the
    transcripts. A name that begins with `_` and ends as transcripts do is a transcript all the same.
    """
    name = key.rpartition("/")[2]
    if not name or name.endswith(_FOLDER_OF_HADOOP) or name.startswith(_GLOSSARY):
        return True
    return name.startswith((".", "_")) and not is_transcript_name(key, suffixes)


def suffix_of(key: str) -> str:
    """Return how a name ends, `.gz` and what stands before it included; "" if it has no ending."""
    name = key.rpartition("/")[2].lower()
    packed = ".gz" if name.endswith(".gz") else ""
    stem, dot, ending = name.removesuffix(packed).rpartition(".")
    return f".{ending}{packed}" if dot and stem else packed


def summary_key_for(key: str, *, prefix: str, suffixes: tuple[str, ...]) -> str:
    """Return where the summary of an upload goes.

    `a.txt` becomes `<prefix>a.txt`; any other name keeps its ending, so `a.vtt` becomes
    `<prefix>a.vtt.txt` and `a.txt.gz` `<prefix>a.txt.gz.txt`. No two uploads share a summary:
    `a.vtt.txt`, which would take that name too, becomes `<prefix>a.vtt.txt.txt`. A name too long
    for S3 is cut and ends in a hash of the whole; so does one that ends as such a name does.
    """
    is_anothers = is_transcript_name(key[:-4], suffixes)
    name = f"{prefix}{key}" if key.endswith(".txt") and not is_anothers else f"{prefix}{key}.txt"
    is_short = len(name.encode()) <= _LONGEST_KEY_BYTES - len("n")  # `.json` is longer than `.txt`
    if is_short and not _CUT_NAME.search(name):
        return name
    tail = f"~{sha256(key.encode()).hexdigest()[:16]}.txt"
    head = name.encode()[: _LONGEST_KEY_BYTES - len(tail) - len("n")].decode("utf-8", "ignore")
    return head + tail


def facts_key_for(summary_key: str) -> str:
    """Return where the facts about a summary go: the same name, ending in `.json`."""
    return summary_key.removesuffix(".txt") + ".json"


def work_key(job_id: str, name: str, *, ending: str = ".txt") -> str:
    """Return where something goes that is between a job's transcript and its summary.

    Raises ValueError for a name that the sweeper would not know for ours, and so never delete.
    """
    if not re.fullmatch(_WORK_NAME, name):
        raise ValueError(f"{name} is no name of a work file: add it to core/aws/names.py")
    return f"{WORK_PREFIX}{job_id}/{name}{ending}"


def is_work_key(key: str) -> bool:
    """Say whether a key is one that `work_key` returns."""
    return _WORK_KEY.fullmatch(key) is not None
