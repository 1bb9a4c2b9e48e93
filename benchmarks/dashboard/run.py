"""A run worth drawing: transcripts that become summaries, and what goes wrong in a week, within minutes."""

import logging
import random
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import requests
from rich.console import Console

from benchmarks.dashboard.figures import Figures, Sample, collected, name_of
from core.jobs.job import JobState
from local.progress import Progress
from local.stack.needs import emulator_python
from local.stack.setup import Setup
from local.stack.simulator import CALLBACK_ANSWER_SECONDS, RunPodEndpoint
from local.stack.stack import LocalStack, local_stack
from local.steps import STACK_STEPS
from runpod_simulator import Config, Simulator, running_simulator
from tests.soak.transcripts import meeting

_PARAMETERS = {
    "CallbackOverdueSeconds": "5",
    "JobDeadlineMinutes": "15",
    "MaxAttempts": "3",
    "MaxModelLenTokens": "8192",
    "MaxPollingAttempts": "40",
    "MaxTokens": "1000",
    "SummaryWords": "600",
    "SweepScheduleMinutes": "5",  # it is swept by hand, more often
}
# What happens to a share of the requests, all the time.
_FAULTS = {
    "rate-limited=8": 0.05,
    "server-error": 0.03,
    "worker-lost": 0.03,
    "lost-webhook": 0.03,
    "malformed-json": 0.1,
    "unfinished-json": 0.05,
    "loop": 0.04,
    "refusal": 0.04,
    "altered-figures": 0.04,
    "wrong-turns": 0.04,
    "skipped-half": 0.04,
}
_SWEEP_SECONDS, _LOOK_SECONDS = 4.0, 3.0
_LONGEST_TAIL_SECONDS = 40.0  # until what was uploaded last has ended
_SPOILT = (
    ("board/empty.txt", b" \n"),
    ("board/scan.pdf", b"%PDF-1.7\n%%EOF"),
    ("board/recording.txt", bytes(range(256)) * 40),
)


def run(console: Console, *, seconds: float, seed: int) -> Figures:
    """Upload for so long, and return what came of it once nothing is active any more."""
    config = Config(
        worker="llm-like",
        max_model_len=8192,
        max_workers=3,
        queue_delay_seconds=0.4,
        execution_seconds=0.5,
        webhook_timeout_seconds=CALLBACK_ANSWER_SECONDS,
        seed=seed,
    )
    logging.getLogger("runpod_simulator").setLevel(logging.ERROR)  # it tells of each fault it plays
    with running_simulator(config) as simulator:
        setup = Setup(
            parameters=_PARAMETERS,
            emulator_python=emulator_python(),
            runpod=RunPodEndpoint(simulator.url, simulator.api_key),
        )
        progress = Progress(console, STACK_STEPS)
        with progress, local_stack(setup, progress) as stack:
            return _Run(stack, simulator, seconds, random.Random(seed)).to_its_end()  # noqa: S311


class _Run:
    def __init__(
        self, stack: LocalStack, simulator: Simulator, seconds: float, dice: random.Random
    ) -> None:
        self._stack = stack
        self._simulator = simulator
        self._seconds = seconds
        self._dice = dice
        self._began_at = time.time()
        self._samples: list[Sample] = []
        self._is_done = Event()

    def to_its_end(self) -> Figures:
        for service in ("s3", "lambda", "sqs", "logs", "cloudwatch", "dynamodb"):
            self._stack.client(service)  # boto3 can't create clients in two threads
        pool = ThreadPoolExecutor(2)  # what hangs on a busy machine is left to itself
        uploads, sweeps = pool.submit(self._upload_all), pool.submit(self._sweep_on)
        while not self._is_over(uploads):
            self._observe_queues()
            time.sleep(_LOOK_SECONDS)
        self._is_done.set()
        pool.shutdown(wait=False, cancel_futures=True)
        for each in (uploads, sweeps):
            if each.done():
                each.result()  # raises what failed there
        return collected(self._stack, began_at=self._began_at, observed=self._samples)

    def _is_over(self, uploads: Future[None]) -> bool:
        if time.time() - self._began_at > self._seconds + _LONGEST_TAIL_SECONDS:
            return True
        if not uploads.done():
            return False
        return all(state is not JobState.ACTIVE for state in self._stack.job_states().values())

    def _sweep_on(self) -> None:
        while not self._is_done.wait(_SWEEP_SECONDS):
            with suppress(RuntimeError):  # it could not look at everything: the next one will
                self._stack.invoke_sweeper()

    def _upload_all(self) -> None:
        number, spoilt, dead = 0, list(_SPOILT), False
        while (spent := time.time() - self._began_at) < self._seconds:
            share = spent / self._seconds
            number += 1
            self._change_weather(share)
            key = f"{self._dice.choice(('board', 'field', 'press'))}/meeting {number}.txt"
            words = self._dice.choice((500, 900, 1_500))
            self._stack.upload(meeting(self._dice, words), key)
            if spoilt and share > 0.25 * (4 - len(spoilt)):
                name, body = spoilt.pop()
                self._stack.upload(body, name)
            if share > 0.55 and not dead:
                dead = True
                self._send_what_nobody_can_read()
                self._call_back_with_a_wrong_token()
            time.sleep(self._dice.uniform(2.0, 5.0))

    def _change_weather(self, share: float) -> None:
        """For a while no callback arrives, and later no worker runs."""
        self._simulator.clear()
        self._simulator.show_workers()
        for fault, fault_share in _FAULTS.items():
            self._simulator.use(fault, share=fault_share)
        if 0.4 < share < 0.55:
            self._simulator.use("lost-webhook")
        if 0.65 < share < 0.8:
            self._simulator.use("slow=8")
            self._simulator.show_workers(running=0, idle=0, initializing=1)
        if 0.2 < share < 0.25:
            self._simulator.use("execution-timeout", share=0.3)

    def _send_what_nobody_can_read(self) -> None:
        sqs = self._stack.client("sqs")
        sqs.send_message(
            QueueUrl=self._stack.outputs["UploadDeadLetterQueueUrl"], MessageBody="what is this"
        )

    def _call_back_with_a_wrong_token(self) -> None:
        """As `summaries doctor` does: to the API's host, which not every system takes for this machine."""
        host, path = self._stack.outputs["WebhookUrl"].removeprefix("http://").split("/", 1)
        url = f"{self._stack.endpoint_url}/{path}/{'0' * 32}/1-0/1/{'A' * 43}"
        with requests.Session() as session:
            session.trust_env = False
            session.post(url, json={}, headers={"Host": host}, timeout=30)

    def _observe_queues(self) -> None:
        now = time.time()
        for output in ("UploadQueueUrl", "UploadDeadLetterQueueUrl"):
            url = self._stack.outputs[output]
            asked = self._stack.client("sqs").get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )
            name = name_of("AWS/SQS", "ApproximateNumberOfMessagesVisible", url.rsplit("/", 1)[-1])
            waiting = float(asked["Attributes"]["ApproximateNumberOfMessages"])
            self._samples.append(Sample(now, name, waiting))
