"""The summary that a short transcript's one answer makes.

Whoever has that answer publishes what it makes: no stage has to end for it, which would take another
message, another function and ten more requests to AWS. Nothing else of what settles calls needs the engine,
which is a quarter of a second of a cold start; so it comes with this module, to those who need it.
"""

from core.errors import BadTranscript
from core.jobs.call import Call
from core.jobs.job import Job
from core.jobs.material import MaterialStore, goal
from core.jobs.ports import IntermediateStore
from core.summaries.asks import Answer
from core.summaries.engine import next_round
from core.summaries.rounds import Finished, PastRound


def finished_at_once(
    job: Job, call: Call, answer: Answer, intermediate_store: IntermediateStore
) -> Finished | None:
    """Return the summary that the first answer of a job makes; None where more is to be done.

    Raises OutputRefused where what the job began with can't be read.
    """
    try:
        material = MaterialStore(intermediate_store=intermediate_store).load(job)
    except BadTranscript:
        return None  # it is gone: whoever ends the stage says so
    history = [PastRound(round=material.first, answers={call.ask: answer})]
    step = next_round(material.passages, goal(job, material.glossary), job.limits, history)
    return step if isinstance(step, Finished) else None
