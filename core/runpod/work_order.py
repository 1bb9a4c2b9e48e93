"""Pull mode's messages: what the worker is sent, and what it reports. Pure.

    order     to RunPod, as the request's `input`: where the transcript is, where the summary goes, and
              everything that was asked for. Its URLs are secrets, and RunPod echoes `input`: no order,
              and nothing made from one, is ever logged or kept
    manifest   back, as `output`: what lies where the summary goes, by size and checksum. Small, however
              long the transcript
    error     back, as `error`: `transcript-worker: <code>`, one code for each different reaction

Submitter, receiver and worker share this file, so the two ends can't drift. `version` is the order's
own: a worker refuses one that it does not know.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.errors import BadBody
from core.summaries.glossary import Glossary, glossary_in
from core.summaries.goals import WritingLimits
from core.summaries.options import Mode, Strategy, SummaryOptions

ORDER = "work_order"  # the key of `input` that marks an order
VERSION = 1
ERROR_PREFIX = "transcript-worker: "  # before the code of a failure, in the `error` of a RunPod job
LONGEST_SUMMARY_BYTES = 1_000_000  # twenty thousand words, in the widest script, and room to spare


@dataclass(frozen=True, kw_only=True)
class WorkOrder:
    """What the worker is sent."""

    job_id: str  # also what marks the material's ends in prompts
    name: str  # the transcript's key, for its ending only
    size_bytes: int  # of the transcript as it was announced; 0 if that is not known
    get_url: str = field(repr=False)  # exactly this version of the object
    get_headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # to be sent with it
    put_url: str = field(repr=False)  # exactly one key
    options: SummaryOptions
    glossary: Glossary = field(default_factory=Glossary, repr=False)
    limits: WritingLimits  # the worker takes a smaller context if its server says so

    def as_input(self) -> dict[str, Any]:
        """Return the `input` of POST /run."""
        return {ORDER: {"version": VERSION, **asdict(self)}}


@dataclass(frozen=True, kw_only=True)
class ResultManifest:
    """What the worker says that it has written."""

    sha256: str  # of the bytes at `put_url`, 64 hexadecimal digits
    size_bytes: int
    text: str = field(default="", repr=False)  # the summary itself, where it could not be put
    words_in: int  # of the transcript
    target_words: int
    words_out: int
    read_as: str  # the transcript's format
    model: str
    calls: int  # requests to the model
    rounds: int  # of them, one after another
    prompt_tokens: int
    completion_tokens: int
    discarded_tokens: int  # generated, and not in the summary
    doubts: int  # what the checks could not settle; facts say which
    finish_reason: str  # "length" if the last word was cut off
    facts: dict[str, Any]  # what the engine knows of the summary: checks, sources, cost

    def as_output(self) -> dict[str, Any]:
        """Return the `output` of the RunPod job."""
        return {"manifest": asdict(self)}


def parse_work_order(job_input: object) -> WorkOrder:
    """Read the `input` of a RunPod job. Raises BadBody, which repeats nothing of it."""
    try:
        fields = dict(job_input[ORDER])  # type: ignore[index]
        version = fields.pop("version")
        options = {**fields.pop("options")}
        options["strategy"] = Strategy(options["strategy"])
        options["mode"] = Mode(options["mode"])
        limits = WritingLimits(**fields.pop("limits"))
        glossary = glossary_in(fields.pop("glossary"))
        order = WorkOrder(
            options=SummaryOptions(**options), limits=limits, glossary=glossary, **fields
        )
    except (KeyError, TypeError, ValueError):
        raise BadBody("the input is no order for a summary") from None
    if version != VERSION:
        raise BadBody(f"the order has version {version!r:.10}; this worker knows {VERSION}")
    return order


def parse_manifest(output: object) -> ResultManifest | None:
    """Return the manifest in the `output` of a RunPod job, or None if there is no valid one."""
    part = output[0] if isinstance(output, list) and len(output) == 1 else output
    fields = part.get("manifest") if isinstance(part, Mapping) else None
    if not isinstance(fields, Mapping):
        return None
    kinds = ResultManifest.__annotations__
    if set(fields) - {"text"} != set(kinds) - {"text"}:
        return None
    if not all(type(fields[name]) is _KINDS.get(name, kinds[name]) for name in fields):
        return None
    manifest = ResultManifest(**fields)
    counts = (value for value in fields.values() if isinstance(value, int))
    is_sound = (
        len(manifest.sha256) == _SHA256_DIGITS
        and set(manifest.sha256) <= set("0123456789abcdef")
        and 0 < manifest.size_bytes <= LONGEST_SUMMARY_BYTES
        and all(0 <= count <= _MOST for count in counts)
    )
    return manifest if is_sound else None


_SHA256_DIGITS = 64
_KINDS = {"facts": dict}  # what JSON makes of it
_MOST = 10**12
