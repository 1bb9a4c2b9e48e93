"""Defects in summaries that are made of several calls."""

from defects.plant import Edit, Kind, Plant

_SETTLE = "core/settle.py"
_STAGES = "submitter/stages.py"
_PIECES = "core/pieces.py"
_LONG = "tests/functions/test_long_transcripts.py"
_SETTLING = "tests/functions/test_settling.py"
_STORE_TESTS = "tests/contract/test_job_store.py"
_S3_TESTS = "tests/contract/test_s3_files.py"

PLANTS = (
    Plant(
        "last-piece-lost",
        Kind.LOST,
        "What is held when the loop over a long text ends is forgotten.",
        (
            Edit(
                _PIECES,
                """        held_tokens += tokens
    if held:
        yield between.join(held)
""",
                "        held_tokens += tokens\n",
            ),
        ),
        "tests/unit/test_plans.py",
        "test_hold_every_word_in_order",
    ),
    Plant(
        "section-dropped-in-the-join",
        Kind.LOST,
        "Of sections with the same heading, only the last part's stands.",
        (
            Edit(
                "core/join.py",
                "            kept = sections.setdefault(heading_key, (heading_line, []))",
                "            kept = sections[heading_key] = (heading_line, [])",
            ),
        ),
        "tests/unit/test_join.py",
        "test_sections_of_one_heading_become_one_with_nothing_lost",
    ),
    Plant(
        "missing-notes-passed-over",
        Kind.LOST,
        "A section whose notes are missing is left out of the summary.",
        (
            Edit(
                "core/stages.py",
                "Written(task=task, words=0, overflowed=True)",
                "Written(task=task, words=task.words)",
            ),
        ),
        _LONG,
        "test_that_are_too_long_for_the_model_after_all_are_split",
    ),
    Plant(
        "sections-sorted-as-text",
        Kind.MIXED_UP,
        "Parts are joined in the order of their names, where the tenth comes before the second.",
        (
            Edit(
                _STAGES,
                "workshop.kept(job.id, slot), job.slots)",
                "workshop.kept(job.id, slot), sorted(job.slots))",
            ),
        ),
        _LONG,
        "test_are_read_in_the_order_of_the_transcript_whatever_order_they_end_in",
    ),
    Plant(
        "stage-begun-early",
        Kind.MIXED_UP,
        "What follows a stage begins though some of its calls have not ended.",
        (
            Edit(
                _STAGES,
                "if job.state is not JobState.ACTIVE or not job.is_stage_done:",
                "if job.state is not JobState.ACTIVE:",
            ),
        ),
        _LONG,
        "test_that_are_not_all_there_are_waited_for",
    ),
    Plant(
        "next-stage-never-asked-for",
        Kind.TOO_LATE,
        "Whoever completes a stage tells nobody.",
        (
            Edit(
                _SETTLE,
                """            if job.is_stage_done:
                self.queue.wants_next_stage(job.id)
""",
                "",
            ),
        ),
        _SETTLING,
        "test_that_needs_repair_is_kept_and_the_next_stage_asked_for",
    ),
    Plant(
        "ended-before-counted",
        Kind.NOT_ATOMIC,
        "A call ends and is then counted for its stage: whoever dies in between leaves a stage that is"
        " never full.",
        (
            Edit(
                _SETTLE,
                "        if call.stage == job.stage:  # else",
                "        ended = self.store.save_call(ended)\n        if call.stage == job.stage:  # else",
            ),
            Edit(
                _SETTLE,
                "        return job, self.store.save_call(ended)",
                "        return job, ended",
            ),
        ),
        _LONG,
        "test_over_the_last_section_leaves_a_job_that_goes_on",
    ),
    Plant(
        "counted-by-overwriting",
        Kind.NOT_ATOMIC,
        "Who counts a call for its stage forgets those that were counted before.",
        (
            Edit(
                "core/store.py",
                '"ADD done :done SET due_group = :group, due_at = :due"',
                '"SET done = :done, due_group = :group, due_at = :due"',
            ),
        ),
        _STORE_TESTS,
        "test_counts_each_call_once",
    ),
    Plant(
        "counted-for-another-stage",
        Kind.NOT_ATOMIC,
        "A call of an earlier stage that ends late fills the stage under way.",
        (
            Edit(
                "core/store.py",
                '"#state = :active AND stage = :stage"',
                '"#state = :active AND stage >= :stage"',
            ),
        ),
        _STORE_TESTS,
        "test_that_is_over_counts_nothing",
    ),
    Plant(
        "notes-overwritten",
        Kind.OVERWRITTEN,
        "Notes that others have read already may be replaced.",
        (
            Edit(
                "core/files.py",
                """                IfNoneMatch="*",
            )""",
                "            )",
            ),
        ),
        _S3_TESTS,
        "test_keeps_the_first_text_of_a_name",
    ),
    Plant(
        "cut-off-notes-accepted",
        Kind.CUT,
        "Notes that end where the tokens ran out are taken for whole.",
        (Edit(_STAGES, ", was_cut=kept.was_cut)", ")"),),
        _LONG,
        "test_whose_notes_were_cut_off_are_read_again_in_smaller_shares",
    ),
    Plant(
        "part-of-a-failed-job-submitted",
        Kind.UNBOUNDED,
        "A stage's calls are submitted, and paid for, though one of them has ended the job.",
        (
            Edit(
                "submitter/submit.py", "                ended.append(after)", "                pass"
            ),
        ),
        _LONG,
        "test_of_a_key_that_runpod_refuses_end_the_job_and_are_not_all_tried",
    ),
)
