"""The chat request of one ask, as every OpenAI-compatible server takes it. Pure.

The order is: system, further material, the transcript's passages, what was written of them, instructions.
What calls of one job have in common comes first, so that a server that caches prefixes reads it once.

No material can end its block or its turn: it stands between markers that carry a boundary its author can't
have known and that is taken out of it all the same, and a space makes plain words of the tokens that chat
templates mark turns with.
"""

import re
from typing import Any

from core.summaries.asks import WRITTEN, Ask, Block
from core.summaries.options import SummaryOptions
from core.summaries.passages import Passages
from core.summaries.schemas import schema_of
from core.summaries.tokens import estimate_tokens

CHAT_TEMPLATE_TOKENS = 64  # the markers a chat template puts around two messages, generously
_FRAME_TOKENS = 60  # what the markers of one block cost, with a boundary of 32 hexadecimal digits

# Llama's, ChatML's and its like, and Mistral's. Most servers find them in the middle of a text too, where
# they would end the user's turn and begin another.
_CONTROL_TOKENS = re.compile(
    r"<(?=\|\w{1,40}\|>|/?s>|unk>|pad>|SPECIAL_\d{1,4}>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT"
    r"|IMG|IMG_BREAK|IMG_END|PREFIX|MIDDLE|SUFFIX)\])"
)


def chat_request(ask: Ask, passages: Passages, options: SummaryOptions) -> dict[str, Any]:
    """Return the body of `/v1/chat/completions` for one ask."""
    request: dict[str, Any] = {
        "model": options.model,
        "messages": [
            {"role": "system", "content": ask.system},
            {"role": "user", "content": _user_message(ask, passages)},
        ],
        "max_tokens": ask.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": ask.seed,
        "stream": False,
    }
    if ask.response_format:
        request["response_format"] = {
            "type": "json_schema",
            "json_schema": {
                "name": ask.response_format,
                "schema": schema_of(ask.response_format),
                "strict": True,
            },
        }
    return request


def prompt_tokens(ask: Ask, passages: Passages) -> int:
    """Return an upper estimate of what an ask's prompt costs."""
    return (
        frame_tokens(ask)
        + passages.tokens_of(ask.passages)
        + passages.tokens_of(ask.before)
        + sum(estimate_tokens(block.text) for block in ask.blocks)
    )


def frame_tokens(ask: Ask) -> int:
    """Return what an ask's prompt costs without its material."""
    blocks = len(ask.blocks) + bool(ask.passages) + bool(ask.before)
    words = estimate_tokens(ask.system) + estimate_tokens(ask.instructions)
    return CHAT_TEMPLATE_TOKENS + words + blocks * _FRAME_TOKENS


def as_material(text: str, boundary: str) -> str:
    """Return a text that can end neither its block nor its turn."""
    return _CONTROL_TOKENS.sub(r"\g<0> ", text).replace(boundary, "…")


def _user_message(ask: Ask, passages: Passages) -> str:
    written = [each for each in ask.blocks if each.tag == WRITTEN]  # what varies comes last
    blocks = [_of_block(each, ask) for each in ask.blocks if each not in written]
    if ask.before:
        lines = (passage.line for passage in passages.of(ask.before))
        blocks.append(_block("before", "\n".join(lines), ask.boundary))
    if ask.passages:
        blocks.append(_block("transcript", _lines(ask, passages), ask.boundary))
    blocks += [_of_block(each, ask) for each in written]
    return "\n\n".join((*blocks, ask.instructions))


def _of_block(block: Block, ask: Ask) -> str:
    return _block(block.tag, block.text, ask.boundary)


def _lines(ask: Ask, passages: Passages) -> str:
    """Return the passages' lines; a gap between ranges is shown, so that nobody reads across it."""
    stretches = (passages.of((each,)) for each in ask.passages)
    return "\n[…]\n".join("\n".join(each.line for each in stretch) for stretch in stretches)


def _block(tag: str, text: str, boundary: str) -> str:
    return f'<{tag} id="{boundary}">\n{as_material(text, boundary)}\n</{tag} id="{boundary}">'
