"""What a model's answer says, without reasoning, chat tokens, fences and prefaces around it. Pure.

Nothing that is taken off here is counted, checked or published. Every pattern runs in time linear in the
length of the answer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_REASONING_NAMES = "think|thinking|thought|reasoning|analysis|reflection|scratchpad"
# <think>, [THINK] (Magistral), ◁think▷ (Kimi)
_OPENING = re.compile(rf"(?:<|\[|◁)(?:{_REASONING_NAMES})(?:>|\]|▷)", re.IGNORECASE)
_CLOSING = re.compile(rf"(?:<|\[|◁)/(?:{_REASONING_NAMES})(?:>|\]|▷)", re.IGNORECASE)

# gpt-oss's harmony format, <|channel|>analysis<|message|>... before <|channel|>final<|message|>...
_CHANNEL = re.compile(r"<\|channel\|>\s*([a-z]+)[^<]{0,80}<\|message\|>", re.IGNORECASE)
# The same, its special tokens stripped by a server.
_BARE_HARMONY = re.compile(r"\A\s*analysis(?=[A-Z\s])")
_BARE_FINAL = "assistantfinal"

# Where a model says that it has ended; what comes after is another turn that it made up.
_END_TOKENS = re.compile(
    r"<\|(?:im_end|eot_id|eom_id|end|end_of_text|endoftext|return|end_of_turn|user|END_OF_TURN_TOKEN)\|>"
    r"|</s>|<end_of_turn>|<\uff5cend\u2581of\u2581sentence\uff5c>|\[INST\]|<\|im_start\|>\s*user",
)
_CHAT_TOKENS = re.compile(
    r"<\|(?:im_start|start_header_id|begin_of_text|start|assistant|START_OF_TURN_TOKEN|CHATBOT_TOKEN)\|>(?:assistant)?"
    r"(?:<\|end_header_id\|>)?|<\|end_header_id\|>|<s>|\[/INST\]|<start_of_turn>(?:model)?"
    r"|<bos>|<eos>|<pad>",
)

_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})[ \t]*([\w+-]*)[ \t]*$", re.MULTILINE)
_PROSE = frozenset({"", "markdown", "md", "text", "txt", "plain", "plaintext"})

# `Sure!`, and `Here is the summary:` where a colon or a heading shows that it leads to something.
_ASSENT = re.compile(
    r"(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|understood|great"
    r"|alright|natürlich|gerne|bien sûr"
    r"|claro|por supuesto|certo|certamente|jazeker|natuurlijk|självklart|selvfølgelig"
    r"|oczywiście|конечно|好的|はい)"
    r"[!.,:—–-]",
    re.IGNORECASE,
)
_PRESENTATION = re.compile(
    r"(?:here(?:'s|’s| is| are| comes| you go)|below (?:is|are|you)|the following (?:is|are)"
    r"|this is (?:a|the)"
    r"|as requested|i(?:'ve|’ve| have) (?:written|prepared|summari[sz]ed)"
    r"|hier (?:ist|sind|folgt|is)|nachfolgend|voici|ci-dessous|aquí (?:está|tienes|tiene)"
    r"|a continuación"
    r"|ecco|aqui está|segue|hieronder|här är|her er|tässä|oto|poniżej|вот|ниже|以下)",
    re.IGNORECASE,
)
_CLOSING_REMARK = re.compile(
    r"(?:(?:please )?(?:let me know|feel free)|i hope (?:this|that|it)|hope this helps"
    r"|(?:would|do) you (?:like|want) me to|if you (?:would like|want|need|have)"
    r"|is there anything|this (?:summary|section|overview) (?:covers|captures|is (?:about|approximately))"
    r"|note that this (?:summary|section)"
    r"|\(?\[?(?:total )?word count\b|\(?approximately \d[\d,.]* words|end of (?:the )?(?:summary"
    r"|section|document)|\[end\]"
    r"|lassen sie mich wissen|wenn sie (?:weitere|noch)|ich hoffe|n'hésitez pas"
    r"|si vous (?:souhaitez|avez)|j'espère|espero que|si (?:desea|necesitas?|quieres)"
    r"|se (?:vuoi|desideri)|spero che|laat (?:me|het me) weten|hör gärna av|дайте знать"
    r"|надеюсь|如果您|希望)",
    re.IGNORECASE,
)
_LONGEST_REMARK_WORDS = 60
_RULE = re.compile(r"\s*(?:[-*_=]\s*){3,}\Z")


@dataclass(frozen=True, slots=True)
class Cleaned:
    text: str
    removed: tuple[str, ...] = ()  # codes of what was taken off, each once, in order


def clean(answer: str) -> Cleaned:
    """Return the answer itself. Reasoning without an answer leaves an empty text."""
    removed: list[str] = []
    text = answer.replace("\r\n", "\n")
    for code, strip in _STEPS:
        stripped = strip(text)
        if stripped.strip() != text.strip() and code not in removed:
            removed.append(code)
        text = stripped
    return Cleaned(text.strip(), tuple(removed))


def _without_harmony(text: str) -> str:
    channels = list(_CHANNEL.finditer(text))
    if channels:
        final = [match for match in channels if match[1].lower() == "final"]
        return text[final[-1].end() :] if final else ""
    if _BARE_HARMONY.match(text):
        _, mark, answer = text.rpartition(_BARE_FINAL)
        return answer if mark else text
    return text


def _without_reasoning(text: str) -> str:
    """Leave out closed blocks, all after one that never closes, and all before a lone closing tag."""
    kept: list[str] = []
    at = 0
    while opening := _OPENING.search(text, at):
        closing = _CLOSING.search(text, opening.end())
        before = _CLOSING.search(text, at, opening.start())
        kept.append(text[before.end() if before else at : opening.start()])
        if closing is None:
            return "".join(kept)
        at = closing.end()
    lone = None
    for lone in _CLOSING.finditer(text, at):  # noqa: B007 - the last one counts
        pass
    if lone:
        return text[lone.end() :] if not kept else "".join(kept) + text[lone.end() :]
    return "".join(kept) + text[at:]


def _without_chat_tokens(text: str) -> str:
    text = _CHAT_TOKENS.sub("", text)
    for end in _END_TOKENS.finditer(text):
        if text[: end.start()].strip():
            return text[: end.start()]
    return _END_TOKENS.sub("", text)


def _without_fence(text: str) -> str:
    """Return what a fence holds, where that is nearly all; else everything without fences around prose."""
    fences = list(_FENCE.finditer(text))
    if not fences:
        return text
    opening = fences[0]
    closings = (fence for fence in reversed(fences[1:]) if fence[1] == opening[1] and not fence[2])
    closing = next(closings, None)
    inside = text[opening.end() : closing.start() if closing else len(text)]
    outside = text[: opening.start()] + (text[closing.end() :] if closing else "")
    if len(inside.split()) > 4 * len(outside.split()):
        return inside
    return "\n".join(_without_marks_around_prose(text.split("\n")))


def _without_marks_around_prose(lines: list[str]) -> Iterator[str]:
    """Leave out the fences of what is no code, by what stands behind the opening one."""
    opening: re.Match[str] | None = None
    for line in lines:
        fence = _FENCE.match(line)
        if fence and (opening is None or fence[2]):
            opening = fence
        if not fence or (opening and opening[2].lower() not in _PROSE):
            yield line
        if fence and opening and fence is not opening and fence[1] == opening[1]:
            opening = None


def _without_preface(text: str) -> str:
    first, mark, rest = text.lstrip().partition("\n")
    rest = rest.lstrip()
    line = first.strip().strip("*_")
    if not mark or not rest or len(line.split()) > _LONGEST_REMARK_WORDS:
        return text
    leads_on = line.endswith(":") or rest.startswith(("#", "```"))
    is_preface = _ASSENT.match(line) or (leads_on and _PRESENTATION.match(line))
    return _without_rule(rest) if is_preface else text


def _without_rule(text: str) -> str:
    first, _, rest = text.partition("\n")
    return rest if first.strip() and _RULE.match(first) and rest.strip() else text


def _without_closing_remark(text: str) -> str:
    text = text.rstrip()
    while True:
        head, mark, last = text.rpartition("\n\n")
        if not mark or not head.strip():
            return text
        line = last.strip().strip("*_(")
        is_remark = len(line.split()) <= _LONGEST_REMARK_WORDS and _CLOSING_REMARK.match(line)
        if not is_remark and not _RULE.match(last):
            return text
        text = head.rstrip()


_STEPS = (
    ("harmony", _without_harmony),
    ("reasoning", _without_reasoning),
    ("chat-tokens", _without_chat_tokens),
    ("preface", _without_preface),
    ("closing-remark", _without_closing_remark),
    ("fence", _without_fence),
    ("preface", _without_preface),
    ("closing-remark", _without_closing_remark),
)
