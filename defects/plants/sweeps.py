"""Defects in finding what nobody called back about."""

from defects.plant import Edit, Kind, Plant

_SWEEP = "sweeper/sweep.py"
_SETTINGS = "core/settings.py"
_SWEEPING = "tests/functions/test_sweeping.py"
_STORE_TESTS = "tests/contract/test_job_store.py"

PLANTS = (
    Plant(
        "sweeper-swallows",
        Kind.SWALLOWED,
        "A sweep that could not look at a call ends as if all were well, and no alarm rings.",
        (Edit(_SWEEP, "        if troubles:\n", "        if False:\n"),),
        _SWEEPING,
        "test_is_not_held_up_by_a_call_that_can_not_be_looked_at",
    ),
    Plant(
        "one-bad-call-stops-the-sweep",
        Kind.BRITTLE,
        "A call that can't be looked at keeps the sweep from those behind it.",
        (Edit(_SWEEP, "            troubles.append(trouble)", "            raise trouble"),),
        _SWEEPING,
        "test_is_not_held_up_by_a_call_that_can_not_be_looked_at",
    ),
    Plant(
        "calls-touched-before-they-are-due",
        Kind.UNBOUNDED,
        "The sweep looks at every open call each time.",
        (
            Edit(
                "core/store.py",
                '":now": instant(now)}',
                '":now": instant(now.replace(year=9999))}',
            ),
        ),
        _STORE_TESTS,
        "test_are_due_at_their_very_instant",
    ),
    Plant(
        "stale-index-believed",
        Kind.MIXED_UP,
        "A call that was settled a moment ago, and that the index still names, is asked about.",
        (
            Edit(
                _SWEEP,
                "            if call.due_at is None or call.due_at > now:",
                "            if call.due_at is None:",
            ),
        ),
        _SWEEPING,
        "test_is_not_touched_though_the_index_still_names_it",
    ),
    Plant(
        "deadline-ignored",
        Kind.UNBOUNDED,
        "A call that is still running past its job's deadline goes on running.",
        (
            Edit(
                _SWEEP,
                """        if now >= job.deadline:
            return self._give_up(job, call, DEADLINE, now)
        if call.asks + 1""",
                "        if call.asks + 1",
            ),
            Edit(_SWEEP, "return min(now + gap, job.deadline)", "return now + gap"),
        ),
        _SWEEPING,
        "test_that_never_ends_is_asked_about_as_often_as_set_and_then_given_up",
    ),
    Plant(
        "waits-for-ever-in-the-queue",
        Kind.UNBOUNDED,
        "A call that waits for an attempt past its job's deadline goes on waiting.",
        (
            Edit(
                _SWEEP,
                """        if now >= job.deadline:
            return self._give_up(job, call, DEADLINE, now)
        if call.state""",
                "        if call.state",
            ),
        ),
        _SWEEPING,
        "test_past_its_deadline_is_given_up",
    ),
    Plant(
        "given-up-without-a-last-question",
        Kind.TOO_LATE,
        "A result that is there at the deadline is thrown away unseen.",
        (
            Edit(
                _SWEEP,
                """        if attempt:
            return self._ask(job, call, attempt, now)
        if now >= job.deadline:
            return self._give_up(job, call, DEADLINE, now)
""",
                """        if now >= job.deadline:
            return self._give_up(job, call, DEADLINE, now)
        if attempt:
            return self._ask(job, call, attempt, now)
""",
            ),
        ),
        _SWEEPING,
        "test_that_ended_just_before_the_deadline_is_not_given_up",
    ),
    Plant(
        "asks-without-bound",
        Kind.UNBOUNDED,
        "MaxPollingAttempts is not looked at.",
        (
            Edit(
                _SWEEP,
                """        if call.asks + 1 >= self.max_asks:
            return self._give_up(job, call, ASKS_SPENT, now)
""",
                "",
            ),
            Edit(
                _SWEEP,
                "asks_left = self.max_asks - call.asks - 1",
                "asks_left = max(1, self.max_asks - call.asks - 1)",
            ),
        ),
        _SWEEPING,
        "test_whose_asks_are_spent_is_given_up",
    ),
    Plant(
        "unanswered-request-repeated-without-bound",
        Kind.UNBOUNDED,
        "MaxAttempts is not looked at when a request was never answered.",
        (
            Edit(
                _SWEEP,
                "        if call.paid_attempts < self.settler.max_attempts:",
                "        if True:",
            ),
        ),
        _SWEEPING,
        "test_for_the_last_time_is_given_up",
    ),
    Plant(
        "given-up-and-still-paid-for",
        Kind.UNBOUNDED,
        "A request that is given up is not cancelled on RunPod.",
        (
            Edit(
                _SWEEP,
                """        self._cancel(attempt)
        return Look(Found.GIVEN_UP""",
                """        return Look(Found.GIVEN_UP""",
            ),
        ),
        _SWEEPING,
        "test_whose_asks_are_spent_is_given_up",
    ),
    Plant(
        "young-request-taken-for-lost",
        Kind.TWICE,
        "RunPod's 404 for a request it has just taken starts another one.",
        (
            Edit(
                _SWEEP,
                "is_young = is_gone and now - attempt.begun_at < _YOUNG",
                "is_young = False",
            ),
        ),
        _SWEEPING,
        "test_that_runpod_does_not_know_yet_is_given_time",
    ),
    Plant(
        "sweep-runs-into-its-timeout",
        Kind.UNBOUNDED,
        "A sweep goes on until Lambda ends it in the middle of a write.",
        (Edit(_SWEEP, "                if not has_time():", "                if False:"),),
        _SWEEPING,
        "test_stops_when_its_time_is_up_and_goes_on_next_time",
    ),
    Plant(
        "sweep-floods-runpod",
        Kind.UNBOUNDED,
        "A sweep asks about thousands of calls as fast as it can.",
        (Edit(_SWEEP, "                pace()\n", ""),),
        _SWEEPING,
        "test_takes_a_turn_for_each_look",
    ),
    Plant(
        "lost-message-not-repeated",
        Kind.TOO_LATE,
        "A call whose message was lost is given a new date, and no new message.",
        (
            Edit(
                _SWEEP,
                "            self.settler.queue.wants_attempt(call.job_id, call.id, after=timedelta())\n",
                "",
            ),
        ),
        _SWEEPING,
        "test_whose_message_was_lost_is_asked_for_again",
    ),
    Plant(
        "asks-later-than-results-are-kept",
        Kind.TOO_LATE,
        "Settings that find a lost callback after RunPod's 30 minutes are accepted.",
        (Edit(_SETTINGS, "        if discovery > LONGEST_DISCOVERY:", "        if False:"),),
        "tests/unit/test_settings.py",
        "test_settings_that_could_miss_a_result_are_refused",
    ),
)
