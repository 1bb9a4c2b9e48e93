"""The RunPod endpoint of a local stack: the simulator, and the model or worker behind it."""

from dataclasses import dataclass

from local.stack.model import Model, ModelProcess, start_simulated_model, start_small_model
from local.stack.processes import Processes
from local.stack.setup import Setup
from local.stack.simulator import RunPodEndpoint, SimulatorProcess, start_simulator
from local.stack.worker import start_worker
from local.steps import Observer, Step


@dataclass(frozen=True, kw_only=True)
class OurEndpoint:
    setup: Setup
    processes: Processes
    observer: Observer
    simulator: SimulatorProcess
    model: ModelProcess | None  # None: the user's own server, or none

    def wait_until_ready(self) -> RunPodEndpoint:
        """Return it once it accepts jobs and has a worker. Raises StackError."""
        model = self.setup.model
        if self.model:
            model = self.model.wait_until_ready()
            self.observer.end(Step.MODEL, str(model))
        runpod = self.simulator.wait_until_ready()
        self.observer.end(Step.SIMULATOR, runpod.url)
        if self.setup.worker_python and model:
            self.observer.begin(Step.WORKER)
            worker = start_worker(
                self.processes,
                python=self.setup.worker_python,
                runpod_environment=self.simulator.worker_environment(),
                model=model,
            )
            worker.wait_until_it_polls(runpod.url)
            self.observer.end(Step.WORKER, f"worker/ on RunPod's SDK, as worker {worker.id}")
        return runpod


def start_endpoint(setup: Setup, processes: Processes, observer: Observer) -> OurEndpoint:
    """Start the processes that the setup needs. Raises StackError."""
    child = _start_model(setup, processes, observer)
    observer.begin(Step.SIMULATOR)
    simulator = start_simulator_with(child.model if child else setup.model, setup, processes)
    return OurEndpoint(
        setup=setup, processes=processes, observer=observer, simulator=simulator, model=child
    )


def _start_model(setup: Setup, processes: Processes, observer: Observer) -> ModelProcess | None:
    """Start the model that was chosen, or the one that a worker of worker/ needs."""
    if setup.model:
        observer.end(Step.MODEL, str(setup.model))
        return None
    if setup.model_python:
        observer.begin(Step.MODEL)
        return start_small_model(processes, python=setup.model_python)
    if setup.worker_python:
        observer.begin(Step.MODEL)
        scenarios = [each for each in setup.simulator_options if each.startswith("--scenario")]
        return start_simulated_model(processes, setup.simulated_model, scenarios)
    return None


def start_simulator_with(
    model: Model | None, setup: Setup, processes: Processes
) -> SimulatorProcess:
    """Start the simulator: it calls the model, if there is one, or waits for a worker that does."""
    if setup.worker_python:
        return start_simulator(processes, ("--worker=platform", *setup.simulator_options))
    if model is None:
        options = (f"--worker={setup.simulated_model}", *setup.simulator_options)
        return start_simulator(processes, options)
    options = (*model.simulator_options, *setup.simulator_options)
    return start_simulator(processes, options, model_key=model.key)
