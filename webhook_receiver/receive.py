"""The receiver's use case: a report whose token is right is confirmed, if so configured, and settled."""

from dataclasses import dataclass
from datetime import datetime

from core.errors import NotYetKnown
from core.jobs.callback import CallRef
from core.jobs.decide import attempt_of
from core.jobs.ports import JobStore, RunPod
from core.jobs.settle import Settler
from core.runpod.reports import RunPodReport, RunPodStatus


@dataclass(frozen=True, kw_only=True)
class Receiver:
    settler: Settler
    store: JobStore
    verify_with: RunPod | None  # None: a callback with the right token is believed

    def receive(self, ref: CallRef, report: RunPodReport | None, *, now: datetime) -> str:
        """Carry out what a callback reports; return in a few words what came of it.

        Raises UnknownCall, ForeignRequest, and NotYetKnown where RunPod shall call again.
        """
        if report is None:
            self.settler.expedite(ref, note="callback without a body", now=now)
            return "without a body; the sweeper will ask"
        if self.verify_with is None:
            return self.settler.settle(ref, report, now=now).decision.outcome
        if not self._is_its_own(ref, report, now):
            return "nothing to do"
        confirmed = self.verify_with.status(report.runpod_id)
        if confirmed.status is not RunPodStatus.GONE:
            return self.settler.settle(ref, confirmed, now=now).decision.outcome
        # RunPod called back about it and does not know it: too young for /status, or too old. The sweeper
        # knows which; taken for a loss here, a result that is there would be paid for again.
        self.settler.expedite(
            ref, note="callback not confirmed", now=now, runpod_id=report.runpod_id
        )
        return "not confirmed; the sweeper will ask"

    def _is_its_own(self, ref: CallRef, report: RunPodReport, now: datetime) -> bool:
        """Is the report about the very request that RunPod named when it took the attempt?

        Whoever knows the URL can name any request of the endpoint, and /status would report that one.
        False where the call has ended and nobody will ever know.
        """
        _, call = self.store.load(ref.job_id, ref.call_id)
        if attempt_of(call, ref.attempt, report.runpod_id).runpod_id:
            return True
        if call.is_final:
            return False
        self.settler.expedite(ref, note="callback before RunPod's answer", now=now)
        raise NotYetKnown("RunPod's id of the request is not on record yet")
