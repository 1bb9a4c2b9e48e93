"""Command line: `python -m runpod_simulator --help`."""

import asyncio
import json
import logging
import os
import signal
import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from runpod_simulator.config import Config, Limit
from runpod_simulator.scenarios import SCENARIOS, UnknownScenario
from runpod_simulator.server import Server

_DEFAULT = Config()


@click.command(context_settings={"show_default": True})
@click.option("--host", default=_DEFAULT.host, help="Address to listen on.")
@click.option("--port", default=_DEFAULT.port, help="0: any free port.")
@click.option("--endpoint", default=_DEFAULT.endpoint, help="Endpoint id, as in /v2/ENDPOINT.")
@click.option(
    "--api-key",
    default=_DEFAULT.api_key,
    envvar="RUNPOD_SIMULATOR_API_KEY",
    help="The API key that it accepts.",
)
@click.option(
    "--management-key",
    default="",
    envvar="RUNPOD_SIMULATOR_MANAGEMENT_KEY",
    help="The key that the management API accepts, in place of the API key.",
)
@click.option(
    "--worker",
    default=_DEFAULT.worker,
    type=click.Choice(["extractive", "llm-like", "openai", "platform"]),
    help="What computes results. extractive: sentences of the prompt, without a model; llm-like: the same,"
    " as unreliable as a model; openai: a server with OpenAI's API; platform: workers with RunPod's SDK"
    " that you run.",
)
@click.option("--model-url", default="", help="openai: base URL of an OpenAI-compatible server.")
@click.option(
    "--model-key",
    default="",
    envvar="RUNPOD_SIMULATOR_MODEL_KEY",
    help="openai: its key, if it has one.",
)
@click.option("--model-name", default="", help="Model to ask for in place of the job's.")
@click.option(
    "--max-model-len",
    default=_DEFAULT.max_model_len,
    help="extractive, llm-like: context limit in tokens.",
)
@click.option(
    "--output-shape",
    default=_DEFAULT.output_shape,
    type=click.Choice(["openai", "native"]),
    help="native: as worker-vllm up to 2.23.",
)
@click.option(
    "--worker-key",
    default=_DEFAULT.worker_key,
    envvar="RUNPOD_SIMULATOR_WORKER_KEY",
    help="platform: the key that its workers send.",
)
@click.option(
    "--heartbeat-timeout-seconds",
    default=_DEFAULT.heartbeat_timeout_seconds,
    help="platform: real seconds after which a job is lost that no worker has named.",
)
@click.option("--time-scale", default=_DEFAULT.time_scale, help="Real seconds per RunPod second.")
@click.option("--max-workers", default=_DEFAULT.max_workers, help="Jobs that run at once.")
@click.option(
    "--queue-delay-seconds",
    default=_DEFAULT.queue_delay_seconds,
    help="Shortest time in the queue.",
)
@click.option("--execution-seconds", default=_DEFAULT.execution_seconds, help="Shortest execution.")
@click.option(
    "--result-retention-seconds",
    default=_DEFAULT.result_retention_seconds,
    help="How long results last.",
)
@click.option(
    "--webhook-timeout-seconds",
    default=_DEFAULT.webhook_timeout_seconds,
    help="Real seconds per attempt.",
)
@click.option(
    "--webhooks-at-once",
    default=_DEFAULT.webhooks_at_once,
    help="Most that are being delivered; 0: any number.",
)
@click.option("--webhook-on-timed-out", is_flag=True, help="Call back for TIMED_OUT too.")
@click.option(
    "--run-limit", default=_DEFAULT.run_limit.per_10_seconds, help="/run requests per 10 seconds."
)
@click.option(
    "--status-limit",
    default=_DEFAULT.status_limit.per_10_seconds,
    help="/status requests per 10 seconds.",
)
@click.option(
    "--cancel-limit",
    default=_DEFAULT.cancel_limit.per_10_seconds,
    help="/cancel requests per 10 seconds.",
)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    help="NAME or NAME=VALUE for all jobs, with @SHARE for a share of them: lost-webhook@0.3. Repeatable.",
)
@click.option(
    "--seed",
    type=int,
    help="Decides which requests a share falls on (random by default), and what llm-like writes.",
)
@click.option("--list-scenarios", is_flag=True, help="Print the scenarios and exit.")
@click.option("--quiet", is_flag=True, help="Log warnings only.")
def main(**options: Any) -> None:
    """Simulate a RunPod Serverless endpoint on this machine.

    Prints one line of JSON with its `url` once it listens, and logs to stderr. Stop it with Ctrl-C.

    \b
    Send it a job from another terminal, with --port 8899:
      curl -s http://127.0.0.1:8899/v2/local/run \\
        -H "Authorization: Bearer local-runpod-key" \\
        -d '{"input": {"prompt": "Hello"}}'
    """
    if options.pop("list_scenarios"):
        _print_scenarios()
        return
    level = logging.WARNING if options.pop("quiet") else logging.INFO
    logging.basicConfig(
        stream=sys.stderr, level=level, format="%(asctime)s %(message)s", datefmt="%H:%M:%S"
    )
    for operation in ("run", "status", "cancel"):
        name = f"{operation}_limit"
        concurrent = getattr(_DEFAULT, name).concurrent
        options[name] = Limit(per_10_seconds=options[name], concurrent=concurrent)
    try:
        asyncio.run(_serve(Config(**options)))
    except (UnknownScenario, ValueError) as exc:
        raise click.UsageError(str(exc)) from exc
    except OSError as exc:  # the port is in use, or the address is not this machine's
        raise click.ClickException(str(exc)) from exc


async def _serve(config: Config) -> None:
    server = Server(config)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await server.start()
    listening = {
        "url": server.url,
        "origin": server.origin,
        "endpoint": config.endpoint,
        "worker": config.worker,
        "time_scale": config.time_scale,
        "control": f"{server.origin}/_simulator",
        "pid": os.getpid(),
    }
    if config.worker == "platform":
        listening["worker_environment"] = server.worker_environment()
    print(json.dumps(listening), flush=True)
    await stopped.wait()
    await server.stop()


def _print_scenarios() -> None:
    table = Table(title="Scenarios (name or name=value)")
    for column in ("group", "name", "value", "meaning"):
        table.add_column(column, no_wrap=column == "name")
    for scenario in SCENARIOS.values():
        value = f"{scenario.value} ({scenario.default:g})" if scenario.value else ""
        table.add_row(scenario.group, scenario.name, value, scenario.meaning)
    console = Console()
    console.print(table, width=None if console.is_terminal else 120)


if __name__ == "__main__":
    main()
