"""The same simulation under Hypothesis, which decides what happens next and shrinks what it finds."""

import io
from contextlib import ExitStack
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.fakes.model import a_transcript
from tests.simulation.fault_profile import CALM, FaultProfile
from tests.simulation.functions import simulated
from tests.simulation.run import Run
from tests.simulation.runpod import PRIVATE
from tests.simulation.services import SECRETS_KEPT_SECONDS
from tests.simulation.simulation import Simulation

shares = st.sampled_from([0.0, 0.05, 0.2])
fault_profiles = st.builds(
    FaultProfile,
    aws_requests=shares,
    runpod_requests=shares,
    kills=shares,
    callbacks_lost=st.sampled_from([0.0, 0.3, 1.0]),
    callbacks_repeated=shares,
    messages_repeated=shares,
    index_lags=shares,
    gpu_troubles=shares,
    gpu_losses=shares,
    odd_lengths=shares,
)
_STEPS_TO_REST = 200_000  # a run takes a few thousand


class Pipeline(RuleBasedStateMachine):
    """Uploads, sweeps, forgeries and secrets when Hypothesis says so, in a profile of its choosing.

    The invariants are checked by the simulation itself, after every effect.
    """

    stack: ExitStack
    output: io.StringIO
    run: Run

    @initialize(profile=fault_profiles, random=st.randoms(use_true_random=False))
    def begin(self, profile: FaultProfile, random: Random) -> None:
        self.stack = ExitStack()
        self.output = self.stack.enter_context(simulated())
        self.run = Run(Simulation(random, profile=profile, is_swept_on_schedule=False))

    @rule(words=st.sampled_from([150, 900, 2_600]), key=st.sampled_from(["a", "b c"]))
    def upload(self, words: int, key: str) -> None:
        if len(self.run.uploads) < 3:
            body = f"Mara: {PRIVATE} {len(self.run.uploads)}.\n{a_transcript(words, markers=3)}"
            self.run.upload(f"calls/{key}.txt", body.encode(), is_good=True)

    @rule()
    def upload_what_is_no_transcript(self) -> None:
        if len(self.run.uploads) < 3:
            self.run.upload("calls/empty.txt", b"", is_good=False)

    @rule()
    def sweep(self) -> None:
        self.run.sweep()

    @precondition(lambda self: bool(self.run.uploads))
    @rule(number=st.integers(0, 2))
    def cancel(self, number: int) -> None:
        jobs = list(self.run.uploads)
        self.run.cancel(jobs[number % len(jobs)])

    @rule()
    def forge(self) -> None:
        self.run.forge()

    @rule(steps=st.integers(1, 40))
    def let_things_happen(self, steps: int) -> None:
        for _ in range(steps):
            self.run.simulation.step()

    @rule(minutes=st.sampled_from([1, 6, 20]))
    def let_time_pass(self, minutes: int) -> None:
        until = self.run.simulation.now_seconds + 60 * minutes
        self.run.simulation.after(60 * minutes, lambda: None)
        while self.run.simulation.now_seconds < until:
            self.run.simulation.step()

    @precondition(lambda self: len(self.run.secrets.live) == 1)
    @rule()
    def rotate_the_secret(self) -> None:
        """Step by step, each after the time that functions keep what they know."""
        secrets, simulation = self.run.secrets, self.run.simulation
        secrets.announce(b"n" * 40)
        simulation.after(SECRETS_KEPT_SECONDS, secrets.use)

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        with self.stack:
            self._come_to_rest()
            self.run.simulation.end()

    def _come_to_rest(self) -> None:
        """When nothing goes wrong any more and sweeps run on schedule, everything ends."""
        run, simulation = self.run, self.run.simulation
        if not run.uploads:
            return
        simulation.profile = CALM

        def sweep() -> None:
            run.sweep()
            simulation.after(120, sweep)

        sweep()
        run.queue.redrive()
        for _ in range(_STEPS_TO_REST):
            if run.invariants.is_quiet():
                break
            simulation.step()
        run.invariants.at_rest(self.output.getvalue())


TestThePipeline = Pipeline.TestCase
TestThePipeline.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
