"""Pure parts of core that read one text again in every round of a job: here they remember what they found.

In the cloud each round is a process of its own. A test plays dozens of rounds in one, on a few transcripts,
and spends a third of its time on these. Imported by the pipelines in memory, once for a process; tests/unit
has them as they are.
"""

from functools import lru_cache

from core.summaries import checks, tokens

_MOST_TEXTS = 4_096

tokens._tokens_of_ascii = lru_cache(_MOST_TEXTS)(tokens._tokens_of_ascii)
checks._grams = lru_cache(_MOST_TEXTS)(checks._grams)
