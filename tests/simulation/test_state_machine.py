"""The same world under Hypothesis, which decides what happens next and shrinks what it finds."""

import io
from contextlib import ExitStack
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.fakes.model import a_transcript
from tests.simulation.fault_profile import CALM, Weather
from tests.simulation.functions import simulated
from tests.simulation.platform import PRIVATE
from tests.simulation.services import SECRETS_KEPT_SECONDS
from tests.simulation.trace import Story
from tests.simulation.world import World

shares = st.sampled_from([0.0, 0.05, 0.2])
weathers = st.builds(
    Weather,
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
    """Uploads, sweeps, forgeries and secrets when Hypothesis says so, in a weather of its choosing.

    The promises are checked by the world itself, after every effect.
    """

    stack: ExitStack
    output: io.StringIO
    story: Story

    @initialize(weather=weathers, random=st.randoms(use_true_random=False))
    def begin(self, weather: Weather, random: Random) -> None:
        self.stack = ExitStack()
        self.output = self.stack.enter_context(simulated())
        self.story = Story(World(random, weather=weather))

    @rule(words=st.sampled_from([150, 900, 2_600]), key=st.sampled_from(["a", "b c"]))
    def upload(self, words: int, key: str) -> None:
        if len(self.story.uploads) < 3:
            body = f"Mara: {PRIVATE} {len(self.story.uploads)}.\n{a_transcript(words, markers=3)}"
            self.story.upload(f"calls/{key}.txt", body.encode(), is_good=True)

    @rule()
    def upload_what_is_no_transcript(self) -> None:
        if len(self.story.uploads) < 3:
            self.story.upload("calls/empty.txt", b"", is_good=False)

    @rule()
    def sweep(self) -> None:
        self.story.sweep()

    @rule()
    def forge(self) -> None:
        self.story.forge()

    @rule(steps=st.integers(1, 40))
    def let_things_happen(self, steps: int) -> None:
        for _ in range(steps):
            self.story.world.step()

    @rule(minutes=st.sampled_from([1, 6, 20]))
    def let_time_pass(self, minutes: int) -> None:
        until = self.story.world.now_seconds + 60 * minutes
        self.story.world.after(60 * minutes, lambda: None)
        while self.story.world.now_seconds < until:
            self.story.world.step()

    @precondition(lambda self: len(self.story.secrets.live) == 1)
    @rule()
    def rotate_the_secret(self) -> None:
        """Step by step, each after the time that functions keep what they know."""
        secrets, world = self.story.secrets, self.story.world
        secrets.announce(b"n" * 40)
        world.after(SECRETS_KEPT_SECONDS, secrets.use)

    def teardown(self) -> None:
        if not hasattr(self, "story"):
            return
        with self.stack:
            self._come_to_rest()
            self.story.world.end()

    def _come_to_rest(self) -> None:
        """When nothing goes wrong any more and sweeps run on schedule, everything ends."""
        story, world = self.story, self.story.world
        if not story.uploads:
            return
        world.weather = CALM

        def sweep() -> None:
            story.sweep()
            world.after(120, sweep)

        sweep()
        story.queue.redrive()
        for _ in range(_STEPS_TO_REST):
            if story.promises.is_quiet():
                break
            world.step()
        story.promises.at_rest(self.output.getvalue())


TestThePipeline = Pipeline.TestCase
TestThePipeline.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
