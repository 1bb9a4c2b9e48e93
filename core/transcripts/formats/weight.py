"""What a JSON document will take of a function's memory, told by its signs before it is read.

A file of small objects takes a hundred times its size in memory, and a function that is killed for it
can't say why. Real transcripts stay far below the bound: their objects hold words.
"""

from core.errors import BadTranscript

# In bytes, as measured: an object with what its reader makes of it, a list, a value. What stands in texts
# counts too, so this errs on the safe side.
_PER_OBJECT = 450
_PER_LIST = 100
_PER_VALUE = 60
# What a function of template.yaml reads at the most, and has so many times the memory for: 1 GB of the
# submitter's 1,769 MB. Who is let read more, as the worker of pull mode, has more of it.
FUNCTION_BYTES = 25_000_000
_MEMORY_TIMES = 40


def check_weight(text: str, max_bytes: int) -> None:
    """Refuse JSON that would not fit into the memory of who may read `max_bytes`. Raises BadTranscript."""
    weight = (
        text.count("{") * _PER_OBJECT + text.count("[") * _PER_LIST + text.count(",") * _PER_VALUE
    )
    if weight > max(max_bytes, FUNCTION_BYTES) * _MEMORY_TIMES:
        raise BadTranscript(
            "too-large",
            "the JSON is made of more objects and values than fit into memory at once; split it, or upload"
            " the transcript as text or as captions",
        )
