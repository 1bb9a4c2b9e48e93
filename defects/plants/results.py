"""Defects in what is made of RunPod's answer, and in how a summary is published."""

from defects.plant import Edit, Kind, Plant

_REPORTS = "core/reports.py"
_DECIDE = "core/decide.py"
_SETTLE = "core/settle.py"
_FILES = "core/files.py"
_SETTLING = "tests/functions/test_settling.py"
_S3_TESTS = "tests/contract/test_s3_files.py"

PLANTS = (
    Plant(
        "error-becomes-the-summary",
        Kind.FALSE_SUCCESS,
        "What a failed worker said is stored as the summary.",
        (
            Edit(
                _REPORTS,
                'Report(**common, failure=_failure(body.get("error"), body.get("output")))',
                'Report(**common, text=str(body.get("error")))',
            ),
        ),
        "tests/unit/test_reports.py",
        "test_what_runpod_says_of_a_failure_is_classified",
    ),
    Plant(
        "empty-summary-stored",
        Kind.FALSE_SUCCESS,
        "COMPLETED with an empty text counts as a summary.",
        (Edit(_REPORTS, "    if not text:\n", "    if not choices:\n"),),
        "tests/unit/test_reports.py",
        "test_completed_without_a_usable_text_is_a_failure_that_may_pass",
    ),
    Plant(
        "progress-taken-for-the-end",
        Kind.FALSE_SUCCESS,
        "A callback on the way, or in a state that is new, ends the call with no text.",
        (
            Edit(
                _DECIDE,
                """    if not report.status.is_final:
        return Step.IGNORE
""",
                "",
            ),
        ),
        "tests/unit/test_decide.py",
        "test_a_report_means_one_thing_in_each_state",
    ),
    Plant(
        "cut-off-answer-accepted",
        Kind.CUT,
        'A summary that ends where the tokens ran out (`finish_reason` is "length") stands as it is.',
        (
            Edit(
                _DECIDE,
                "return finish_reason != CUT and least <= words",
                "return least <= words",
            ),
        ),
        _SETTLING,
        "test_that_needs_repair_is_kept_and_the_next_stage_asked_for",
    ),
    Plant(
        "short-summary-accepted",
        Kind.FALSE_SUCCESS,
        "A summary of any length counts as the 4,000 words that were asked for.",
        (
            Edit(
                _DECIDE,
                "return finish_reason != CUT and least <= words <= 2 * job.target_words - least",
                "return finish_reason != CUT",
            ),
        ),
        _SETTLING,
        "test_that_needs_repair_is_kept_and_the_next_stage_asked_for",
    ),
    Plant(
        "retries-without-bound",
        Kind.UNBOUNDED,
        "MaxAttempts is not looked at when a request has failed.",
        (
            Edit(
                _DECIDE,
                "if failure.may_help_to_retry and call.paid_attempts < max_attempts:",
                "if failure.may_help_to_retry:",
            ),
        ),
        "tests/unit/test_decide.py",
        "test_the_last_attempt_that_may_be_paid_for_is_the_last",
    ),
    Plant(
        "hopeless-failure-retried",
        Kind.UNBOUNDED,
        "What RunPod will refuse every time is paid for as often as allowed.",
        (
            Edit(
                _DECIDE,
                "if failure.may_help_to_retry and call.paid_attempts < max_attempts:",
                "if call.paid_attempts < max_attempts:",
            ),
        ),
        _SETTLING,
        "test_for_good_ends_the_job_with_its_reason",
    ),
    Plant(
        "success-recorded-first",
        Kind.TOO_SOON,
        "The job succeeds in the table before its summary is in S3.",
        (
            Edit(
                _SETTLE,
                """        try:
            standing = self.summaries.publish(job, came, report.text, now=now)
        except Superseded as exc:
            failure = Failure(code="superseded", message=str(exc), may_help_to_retry=False)
            return self.fail(job, call, failure, now=now)
        return self._finish(job, call, standing, now)""",
                """        job, call = self._finish(job, call, came, now)
        self.summaries.publish(job, came, report.text, now=now)
        return job, call""",
            ),
        ),
        _SETTLING,
        "test_leaves_a_job_that_the_next_report_finishes",
    ),
    Plant(
        "contended-write-given-up",
        Kind.TOO_SOON,
        "A report that others' writes kept from being recorded is answered with 200.",
        (
            Edit(
                _SETTLE,
                """            return Settled(step=step, job=job, call=call)
        raise _changed_again_and_again(ref)""",
                """            return Settled(step=step, job=job, call=call)
        return Settled(step=Step.IGNORE, job=job, call=call)""",
            ),
        ),
        _SETTLING,
        "test_whose_writes_others_always_beat_is_an_error_so_that_runpod_calls_again",
    ),
    Plant(
        "second-summary-wins",
        Kind.OVERWRITTEN,
        "The summary is written without a condition: whoever comes last replaces what stands.",
        (
            Edit(
                _FILES,
                'condition: dict[str, Any] = {"IfNoneMatch": "*"}',
                "condition: dict[str, Any] = {}",
            ),
        ),
        _S3_TESTS,
        "test_keeps_the_first_summary_of_a_job",
    ),
    Plant(
        "older-upload-wins",
        Kind.OVERWRITTEN,
        "The summary of an older version of a file replaces that of the newer.",
        (
            Edit(
                _FILES,
                "            if _is_of_newer_upload(job, metadata):",
                "            if False:",
            ),
        ),
        _S3_TESTS,
        "test_leaves_the_summary_of_a_newer_upload",
    ),
    Plant(
        "newer-upload-loses",
        Kind.OVERWRITTEN,
        "A summary that stands is never replaced, also not by that of a newer version of the file.",
        (
            Edit(
                _FILES,
                "            if _is_of_newer_upload(job, metadata):",
                "            if True:",
            ),
        ),
        _S3_TESTS,
        "test_replaces_the_summary_of_an_older_upload",
    ),
)
