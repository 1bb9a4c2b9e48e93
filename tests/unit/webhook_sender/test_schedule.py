"""A webhook is tried from seconds to hours, for about a day."""

from datetime import timedelta
from itertools import pairwise

from webhook_sender.schedule import MOST_TRIES, pause_after


def pauses(chance: float) -> list[timedelta]:
    found = [pause_after(tries, chance=chance) for tries in range(1, MOST_TRIES)]
    assert None not in found
    return [each for each in found if each]


def test_the_pauses_grow_from_seconds_to_hours_and_last_about_a_day() -> None:
    found = pauses(0.0)

    assert found[0] <= timedelta(seconds=10)
    assert found[-1] >= timedelta(hours=6)
    assert all(later > earlier for earlier, later in pairwise(found))
    assert timedelta(hours=20) < sum(found, timedelta()) < timedelta(hours=26)


def test_the_last_try_is_the_last() -> None:
    assert pause_after(MOST_TRIES, chance=0.5) is None
    assert pause_after(MOST_TRIES + 20, chance=0.5) is None


def test_chance_makes_a_pause_a_tenth_longer_at_most_and_sqs_can_hide_it_so_long() -> None:
    for plain, longest in zip(pauses(0.0), pauses(1.0), strict=True):
        assert plain <= longest <= plain * 1.1 + timedelta(seconds=1)
        assert longest <= timedelta(hours=12)
