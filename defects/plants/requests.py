"""Defects in what is asked of RunPod, and how."""

from defects.plant import Edit, Kind, Plant

_SUBMIT = "submitter/submit.py"
_REQUESTS = "submitter/requests.py"
_ASKS = "core/asks.py"
_RUNPOD = "core/runpod.py"
_BUDGET = "core/budget.py"
_SUBMITTING = "tests/functions/test_submitting.py"
_COVERAGE = "tests/functions/test_coverage.py"
_CLIENT = "tests/contract/test_runpod_client.py"

PLANTS = (
    Plant(
        "recorded-after-the-request",
        Kind.NOT_ATOMIC,
        "The job is recorded once RunPod has answered: a crash, or a quick callback, finds no record.",
        (
            Edit(
                _SUBMIT,
                """        self.store.create(job, [call])
        # The news stands in the table now; written again it would be told twice.
        job, call = replace(job, news=()), replace(call, news=())
        job, call = self._submit(job, call, layer, now)
        return job, [call]""",
                """        given = {"settings": self.settings, "secrets": self.secrets}
        asked = chat_input(job, call, layer, settings=self.settings)
        runpod_id = self.runpod.run(request_for(job, call, asked, **given))
        call = call.submitted(runpod_id, event(now, attempt=1, runpod_id=runpod_id))
        self.store.create(job, [call])
        return replace(job, news=()), [replace(call, news=())]""",
            ),
        ),
        _SUBMITTING,
        "test_is_recorded_before_runpod_hears_of_it",
    ),
    Plant(
        "max-tokens-misplaced",
        Kind.WRONG_NAME,
        "`max_tokens` stands where the worker does not look: it writes as many tokens as it does by"
        " default.",
        (
            Edit(_ASKS, '        "max_tokens": min(request.max_tokens, room),\n', ""),
            Edit(
                _REQUESTS,
                '        "openai_route": "/v1/chat/completions",',
                '        "openai_route": "/v1/chat/completions",\n'
                '        "max_tokens": job.request.max_tokens,',
            ),
        ),
        _SUBMITTING,
        "test_asks_for_what_is_set",
    ),
    Plant(
        "no-room-for-the-answer",
        Kind.UNBOUNDED,
        "Prompt and answer together may be longer than the model's context.",
        (Edit(_ASKS, "min(request.max_tokens, room)", "request.max_tokens"),),
        _SUBMITTING,
        "test_leaves_the_answer_no_more_room_than_the_context_has",
    ),
    Plant(
        "transcript-cut",
        Kind.CUT,
        "The model sees the first 30,000 characters.",
        (
            Edit(
                _ASKS,
                '"\\n".join(layer.pieces[task.first : task.last])',
                '"\\n".join(layer.pieces[task.first : task.last])[:30_000]',
            ),
        ),
        _COVERAGE,
        "test_every_part_of_a_long_transcript_reaches_the_summary_in_its_order",
    ),
    Plant(
        "four-characters-a-token",
        Kind.CUT,
        "Tokens are estimated by a rule of thumb for English.",
        (
            Edit(
                _BUDGET,
                "    windows = (text[start",
                "    return len(text) // 4\n    windows = (text[start",
            ),
        ),
        "tests/unit/test_budget.py",
        "test_no_language_costs_more_than_estimated",
    ),
    Plant(
        "chinese-underestimated",
        Kind.CUT,
        "A Chinese character is counted as a quarter of a token.",
        (Edit(_BUDGET, "(0x4E00, 1.3),  # Han", "(0x4E00, 0.25),  # Han"),),
        "tests/unit/test_budget.py",
        "test_no_language_costs_more_than_estimated",
    ),
    Plant(
        "request-dies-before-the-deadline",
        Kind.TOO_LATE,
        "RunPod's `ttl`, which counts the time in the queue too, is as short as the execution timeout.",
        (
            Edit(
                _REQUESTS,
                "    ttl = settings.retries.job_deadline + _TTL_PAST_DEADLINE",
                "    ttl = settings.execution_timeout",
            ),
        ),
        _SUBMITTING,
        "test_outlives_its_deadline_at_runpod",
    ),
    Plant(
        "execution-timeout-in-seconds",
        Kind.WRONG_NAME,
        "RunPod, which counts in milliseconds, is told seconds.",
        (
            Edit(
                _REQUESTS,
                '"executionTimeout": settings.execution_timeout // timedelta(milliseconds=1)',
                '"executionTimeout": settings.execution_timeout // timedelta(seconds=1)',
            ),
        ),
        _SUBMITTING,
        "test_asks_for_what_is_set",
    ),
    Plant(
        "no-timeout",
        Kind.UNBOUNDED,
        "A request to RunPod waits for its answer for ever.",
        (
            Edit(
                _RUNPOD,
                "                timeout=(_CONNECT_SECONDS, answer_seconds),\n",
                "",
            ),
        ),
        _CLIENT,
        "test_waits_for_no_answer_for_ever",
    ),
    Plant(
        "redirect-followed",
        Kind.TOO_WIDE,
        "A redirect is followed, and the answer of another host believed.",
        (Edit(_RUNPOD, "allow_redirects=False", "allow_redirects=True"),),
        _CLIENT,
        "test_is_sent_once_where_runpod_may_have_taken_it_or_never_will",
    ),
    Plant(
        "submitted-again-after-silence",
        Kind.TWICE,
        "A request that got no answer is sent again at once, though RunPod may have taken it.",
        (Edit(_RUNPOD, "            read=0,", "            read=3,"),),
        _CLIENT,
        "test_a_connection_that_breaks_may_mean_that_it_was_taken",
    ),
    Plant(
        "throttling-taken-for-refusal",
        Kind.MIXED_UP,
        "RunPod's 429 ends the job as if it were the request's fault.",
        (
            Edit(
                _RUNPOD,
                "        if code == requests.codes.too_many_requests:",
                "        if code == requests.codes.im_a_teapot:",
            ),
        ),
        _CLIENT,
        "test_gives_up_when_there_is_no_room_again_and_again",
    ),
    Plant(
        "key-kept-after-its-rotation",
        Kind.BRITTLE,
        "An API key that RunPod turns away is not fetched again.",
        (
            Edit(
                _RUNPOD,
                "        if answer.status_code == requests.codes.unauthorized:",
                "        if answer.status_code == requests.codes.im_a_teapot:",
            ),
        ),
        _CLIENT,
        "test_a_key_that_was_replaced_is_fetched_afresh",
    ),
    Plant(
        "busy-costs-an-attempt",
        Kind.MIXED_UP,
        "Attempts that RunPod did not take use up those that may be paid for.",
        (
            Edit(
                _SUBMIT,
                "self._wait(call, NOT_TAKEN, str(exc), delay, now)",
                'self._wait(call, "busy", str(exc), delay, now)',
            ),
        ),
        _SUBMITTING,
        "test_has_no_room_the_call_waits_and_has_cost_nothing",
    ),
    Plant(
        "resubmitted-without-bound",
        Kind.UNBOUNDED,
        "MaxAttempts is not looked at when a waiting call is submitted.",
        (
            Edit(
                _SUBMIT,
                "            and call.paid_attempts < self.settings.retries.max_attempts\n",
                "",
            ),
        ),
        _SUBMITTING,
        "test_is_not_made_when_the_attempts_are_spent",
    ),
    Plant(
        "submitted-after-the-deadline",
        Kind.UNBOUNDED,
        "A call of a job whose time is up is submitted all the same.",
        (Edit(_SUBMIT, "\n            and now < job.deadline", ""),),
        _SUBMITTING,
        "test_is_not_made_past_the_deadline",
    ),
)
