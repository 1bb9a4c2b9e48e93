"""Under which names the JSON of speech services has a text, its speaker and its times.

Names are compared without case, `_` and `-`: `start_time`, `startTime` and `StartTime` are one.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from core.transcripts.turns import known_seconds, seconds_of_clock

# In this order: of a word and the same with its punctuation, the latter.
_TEXT = (
    "text", "transcript", "punctuatedword", "displaytext", "display", "body", "content", "utterance",
    "sentence", "transcription", "fulltranscript", "caption", "line", "word", "value", "utf8", "speech",
    "message", "words", "dialogue", "spoken", "phrase", "msg", "rawtext",
)  # fmt: skip
_SPEAKER = (
    "speakername", "voice", "userprofile", "sendername", "fromname", "authorname", "realname",
    "speaker", "speakerlabel", "speakerid", "speakerinfo", "speakertag",
    "participantname", "participant", "displayname", "username", "participantid", "participantrole",
    "from", "sender", "author", "user", "name", "who", "role", "channellabel", "channeltag",
    "channel", "channelid",
)  # fmt: skip
_NAME = (
    "realname",
    "nickname",
    "name",
    "displayname",
    "fullname",
    "speakername",
    "username",
    "label",
    "participantrole",
    "id",
)
_ID = ("id", "speakerid", "participantid", "uid", "userid", "speaker", "label", "key")
_START = (
    "start", "starttime", "startseconds", "starttimeseconds", "startsec", "startms", "starttimems",
    "startoffset", "startmillis", "startmilliseconds", "begin", "begintime", "beginoffsetmillis",
    "offsetmilliseconds", "offsetinticks", "offset", "tstartms", "startsat", "starttimestamp", "from",
    "ts", "timestamp", "timestamps", "time", "offsetms", "at", "timebegin", "timestart", "datastart",
    "timeoffset", "beginms", "beginseconds", "startts", "starts", "timecode", "timein", "offsetseconds",
    "startinseconds", "timestampms", "timestampseconds",
)  # fmt: skip
_END = (
    "end", "endtime", "endseconds", "endms", "endtimems", "endoffset", "endoffsetmillis", "endts",
    "endtimestamp", "to", "timeend", "dataend", "endsec", "endmillis", "endmilliseconds", "ends", "timeout",
)  # fmt: skip
_PEOPLE = frozenset({"speakers", "participants", "attendees", "people", "users", "members"})
_LONGEST_NAME = 80
_DURATION = re.compile(r"PT(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,9})?)S)?", re.I)
_TICK, _MILLISECOND = 1e-7, 1e-3


class _Shape(NamedTuple):
    """Which of an object's members tell what. A document has few shapes and many objects."""

    plain: tuple[str, ...]
    text: tuple[str, ...]
    speaker: tuple[str, ...]
    start: tuple[str, ...]
    end: tuple[str, ...]


def plain_name(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


@lru_cache(maxsize=512)
def _shape(names: tuple[str, ...]) -> _Shape:
    plain = tuple(map(plain_name, names))
    known = set(plain)
    families = (_TEXT, _SPEAKER, _START, _END)
    return _Shape(plain, *(tuple(name for name in family if name in known) for family in families))


def forget_shapes() -> None:
    """Let go of the names of the document that was read: they are somebody's."""
    _shape.cache_clear()


def plain_members(item: dict[str, Any]) -> dict[str, Any]:
    """Return an object's members by their plain names; the last of two alike."""
    return dict(zip(_shape(tuple(item)).plain, item.values(), strict=True))


def text_in(members: dict[str, Any]) -> str:
    for name in _shape(tuple(members)).text:
        value = members.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def speaker_in(members: dict[str, Any]) -> Any:
    """Return what the first of the speaker's members says: a name, a number, or None."""
    for name in _shape(tuple(members)).speaker:
        value = members.get(name)
        if isinstance(value, dict):
            value = _called(plain_members(value))
        if isinstance(value, bool) or not isinstance(value, str | int):
            continue
        if isinstance(value, str) and not 0 < len(value.strip()) <= _LONGEST_NAME:
            continue
        if name == "from" and isinstance(value, int):
            continue  # a time
        return value
    return None


def _called(members: dict[str, Any]) -> Any:
    """Return the name in an object, or in one in it: `{"user": {"displayName": "Ann Lee"}}`."""
    called = _first(members, _NAME)
    if called is not None:
        return called
    within = next((value for value in members.values() if isinstance(value, dict)), {})
    return _first(plain_members(within), _NAME)


def start_in(members: dict[str, Any]) -> tuple[float | None, bool]:
    """Return the seconds of the start, and whether the unit is only supposed."""
    return _time(members, _shape(tuple(members)).start, 0)


def end_in(members: dict[str, Any]) -> tuple[float | None, bool]:
    return _time(members, _shape(tuple(members)).end, 1)


def people_in(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Give id and name of each speaker that is introduced apart from the words."""
    if plain_name(name) not in _PEOPLE:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            called = _first(plain_members(item), _NAME[:-1]) if isinstance(item, dict) else item
            if isinstance(called, str):
                yield key, called
    for item in value if isinstance(value, list) else []:
        if not isinstance(item, dict):
            continue
        members = plain_members(item)
        called = _first(members, _NAME[:-1])
        if not isinstance(called, str) or text_in(members):
            continue
        for identity in _ID:
            if isinstance(members.get(identity), str | int) and members[identity] != called:
                yield str(members[identity]), called


def _first(members: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first of these members that is a text or a number."""
    values = (members.get(name) for name in names)
    return next((value for value in values if isinstance(value, str | int) and value != ""), None)


def _time(members: dict[str, Any], names: tuple[str, ...], index: int) -> tuple[float | None, bool]:
    for name in names:
        value = members.get(name)
        if name == "timestamps" and isinstance(value, dict):
            value = value.get("from")
        if isinstance(value, list):
            value = value[index] if len(value) > index else None
        seconds, is_supposed = _seconds(value, name)
        if seconds is not None:
            return seconds, is_supposed
    if (instances := members.get("instances")) and isinstance(instances, list):
        first = instances[0]  # Video Indexer has all times at which something is seen or said
        if isinstance(first, dict):
            within = plain_members(first)
            return _time(
                within, _shape(tuple(within)).end if index else _shape(tuple(within)).start, index
            )
    pair = members.get("timestamp")
    if index and isinstance(pair, list) and len(pair) > 1:
        return _seconds(pair[1], "timestamp")
    return None, False


def _seconds(value: Any, name: str) -> tuple[float | None, bool]:
    if isinstance(value, dict):  # Recall's {"relative": 1.5}
        value = value.get("relative", value.get("seconds"))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None, False
    if isinstance(value, str):
        if ":" in value:
            return seconds_of_clock(value), False
        if duration := _DURATION.fullmatch(value):
            hours, minutes, seconds = (float(part or 0) for part in duration.groups())
            return hours * 3600 + minutes * 60 + seconds, False
    try:
        number = float(value.rstrip("s") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None, False
    if "tick" in name:
        return known_seconds(number * _TICK), False
    if name.endswith("ms") or "milli" in name:
        return known_seconds(number * _MILLISECOND), False
    return (number if number >= 0 else None), True
