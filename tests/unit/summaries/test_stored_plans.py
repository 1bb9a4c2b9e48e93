"""What was planned is stored and read back as it was."""

from core.summaries.levels import Level, level_in
from core.summaries.plans import Kind, Limits
from core.summaries.stages import StagePlan, plan_in

from core.aws.items import job_item, to_job
from tests.builders import a_job, a_task


def test_a_level_is_stored_with_its_exact_chunks() -> None:
    level = Level(
        number=0, chunks=['Zoë: "no\n\n ', "港 🚤\u2028", "\ud800 \\ \x00"], tokens=[4, 9, 2]
    )

    assert level_in(level.as_document()) == level


def test_a_plan_is_stored_with_finished_and_requested_tasks() -> None:
    tasks = [
        a_task(kind=Kind.NOTES, level=1, first=3, last=7, words=40, requested_words=55),
        a_task(),
    ]
    plan = StagePlan(slots=["1-0", tasks, "1-2", [a_task()]], repairs=2)

    assert plan_in(plan.as_document()) == plan
    assert len(plan.tasks) == 3


def test_a_job_keeps_its_limits() -> None:
    job = a_job(limits=Limits(context_tokens=8_192, max_tokens=900, prompt_overhead_tokens=731))

    stored = {name: value for name, value in job_item(job).items() if value is not None}

    assert to_job(stored).limits == job.limits
