"""Generated meetings, each different, the same for the same random generator."""

import random

_SPEAKERS = ("Ada Okafor", "Bruno Keller", "Chen Wei", "Dolores Ibarra", "Emeka Larsen")
_SUBJECTS = (
    "the ferry timetable",
    "the harbour wall",
    "the night market",
    "the school kitchen",
    "the tram depot",
    "the village archive",
    "the water tower",
    "the youth orchestra",
    "the repair workshop",
    "the salt marsh",
    "the observatory",
    "the bakery lease",
    "the cycle ferry",
    "the winter shelter",
    "the seed library",
)
_VERBS = (
    "is waiting for",
    "has outgrown",
    "may have to share",
    "was promised",
    "cannot open without",
    "will be judged by",
    "has been arguing about",
    "should budget for",
    "lost a season to",
    "keeps asking us for",
)
# Every sentence holds one of these, so that a log line with a sentence in it is found.
PHRASES = (
    "a survey of the eastern foundations",
    "two caretakers who can work on Sundays",
    "a roof that survives the autumn storms",
    "the letter from the county engineers",
    "forty folding chairs and a proper stage",
    "an agreement with the fishing families",
    "the third round of noise measurements",
    "a lift that wheelchairs can really use",
    "the money left over from the regatta",
    "an inventory of every borrowed instrument",
    "a boiler that passes its inspection",
    "the signatures of all nine neighbours",
    "a crossing where children are seen",
    "the drawings we commissioned last spring",
    "an answer about the flood insurance",
    "a volunteer rota without any gaps in it",
)
_REASONS = (
    "because the frost came early",
    "although nobody had planned for it",
    "before the schools break up",
    "while the contractor is still here",
    "unless prices rise once more",
    "as the auditors proposed",
    "so that older residents feel safe",
    "since the vote was so clear",
    "even where the quay is narrow",
    "until the new committee is elected",
)
_CLOSINGS = (
    "We have agreed to pay for {phrase} this year.",
    "I will send everyone the figures for {phrase} by Friday.",
    "We still don't know who looks after {phrase}.",
)


def meeting(dice: random.Random, words: int) -> str:
    """Return a transcript of about so many words, one turn a line."""
    lines: list[str] = []
    count = 0
    while count < words:
        said = " ".join(_sentence(dice) for _ in range(dice.randint(1, 5)))
        lines.append(f"{dice.choice(_SPEAKERS)}: {said}")
        count += len(said.split())
    lines += [
        f"{dice.choice(_SPEAKERS)}: {closing.format(phrase=dice.choice(PHRASES))}"
        for closing in _CLOSINGS
    ]
    return "\n".join(lines) + "\n"


def _sentence(dice: random.Random) -> str:
    parts = [dice.choice(each) for each in (_SUBJECTS, _VERBS, PHRASES, _REASONS)]
    if dice.random() < 0.5:
        parts.append(f"at {dice.randint(11, 998)} euros a month")
    text = " ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
