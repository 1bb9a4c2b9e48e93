"""What a planted defect is: a few lines of ours, replaced by what other projects have there."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """Kinds of defects; `SEEN` says how they look in public projects of this kind."""

    SWALLOWED = "swallowed error"
    FALSE_SUCCESS = "false success"
    FAILS_OPEN = "fails open"
    NOT_ATOMIC = "not atomic"
    TOO_SOON = "acknowledged too soon"
    LOST = "lost on the way"
    TWICE = "done twice"
    OVERWRITTEN = "overwritten"
    CUT = "silent truncation"
    MIXED_UP = "mixed up"
    UNBOUNDED = "unbounded"
    TOO_LATE = "too late, or never"
    WRONG_NAME = "wrong name or unit"
    BRITTLE = "breaks on the unusual"
    LEAK = "leak"
    TOO_WIDE = "too much allowed"


SEEN: dict[Kind, str] = {
    Kind.SWALLOWED: "A function that AWS invokes by itself catches everything and returns a 500 as its"
    " value. To AWS that is success: nothing is tried again, nothing is kept.",
    Kind.FALSE_SUCCESS: "The text of an error, or nothing at all, is stored as the summary.",
    Kind.FAILS_OPEN: "A check that lets everything through where what it looks at is missing; a check"
    " that is written and never called.",
    Kind.NOT_ATOMIC: "Read, act, write without a condition, or two writes that belong together: whoever"
    " dies or comes second in between leaves a contradiction.",
    Kind.TOO_SOON: "The sender, the queue or the record is told that all is well before it is.",
    Kind.LOST: "Only the first record of an event is read; keys with spaces are not found; the last part"
    " of a loop is forgotten.",
    Kind.TWICE: "Events come at least once, and a second one starts the work, and the bill, again.",
    Kind.OVERWRITTEN: "Two uploads share one result, or the older one's comes last and stands.",
    Kind.CUT: "Long transcripts are cut to what fits, and summaries end where the model ran out of"
    " tokens; nobody is told.",
    Kind.MIXED_UP: "Parts are put together in another order than they were taken apart, or one is begun"
    " before another has ended.",
    Kind.UNBOUNDED: "No limit for retries, sizes, waiting or concurrency, or a limit that is declared and"
    " not looked at.",
    Kind.TOO_LATE: "RunPod calls back for 20 seconds and keeps a result for 30 minutes; whoever asks"
    " later, or not at all, has paid for nothing.",
    Kind.WRONG_NAME: "The template says one name and the code another; seconds where milliseconds are"
    " meant; a setting at the wrong level of a request.",
    Kind.BRITTLE: "Encodings, empty bodies, second pages, rotated secrets: whatever the first test did not"
    " have.",
    Kind.LEAK: "Whole events, prompts and error texts in logs and records; secrets in the environment.",
    Kind.TOO_WIDE: "Wildcards in policies, redirects followed with the key, doors without a limit.",
}


class DoesNotApply(Exception):
    """The lines to replace are not there, or there more than once."""


@dataclass(frozen=True)
class Edit:
    file: str  # from the root of the repository
    before: str  # occurs exactly once
    after: str


@dataclass(frozen=True)
class Plant:
    """One defect."""

    name: str  # for the command line
    kind: Kind
    what: str  # what goes wrong, for the page
    edits: tuple[Edit, ...]
    file: str  # of tests
    test: str  # the one in it that should notice; run first, and all the others only if it does not

    def put_into(self, root: Path) -> None:
        """Change the files of a tree. Raises DoesNotApply."""
        for file, text in self.changed(root).items():
            (root / file).write_text(text, encoding="utf-8")

    def changed(self, root: Path) -> dict[str, str]:
        """Return each file that differs, as it then reads. Raises DoesNotApply."""
        texts: dict[str, str] = {}
        for edit in self.edits:
            text = texts.get(edit.file) or (root / edit.file).read_text(encoding="utf-8")
            count = text.count(edit.before)
            if count != 1:
                raise DoesNotApply(f"{self.name}: its lines occur {count} times in {edit.file}")
            texts[edit.file] = text.replace(edit.before, edit.after)
        return texts
