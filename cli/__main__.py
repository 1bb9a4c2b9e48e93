"""Command line: `.venv/bin/summaries --help`, or `python -m cli --help`."""

import click

from cli.lazy import LazyGroup, Listed

_COMMANDS = {
    "cancel": Listed(
        "cli.operating.cancelling",
        "cancel_command",
        "End active jobs, and their requests at RunPod.",
    ),
    "cost": Listed(
        "cli.operating.cost",
        "cost_command",
        "Sum up what summaries have cost: per day, and of the dearest jobs.",
    ),
    "deploy": Listed(
        "cli.deploy_commands", "deploy_command", "Check, ask what is missing, build and deploy."
    ),
    "destroy": Listed(
        "cli.deploy_commands",
        "destroy_command",
        "Delete the stack; buckets and the table of jobs stay.",
    ),
    "doctor": Listed(
        "cli.doctor",
        "doctor_command",
        "Find what makes a deployment silently not work, and say what to do.",
    ),
    "endpoint": Listed(
        "cli.endpoint",
        "endpoint",
        "Make RunPod's endpoint what the model profile needs, and keep it so.",
    ),
    "forget": Listed(
        "cli.operating.forgetting",
        "forget_command",
        "Erase all that is kept about one transcript, by the KEY of its file.",
    ),
    "get": Listed("cli.operating.get", "get_command", "Print a summary, save it, or export it."),
    "list": Listed("cli.operating.listing", "list_command", "Show jobs, newest first."),
    "logs": Listed(
        "cli.operating.logs",
        "logs_command",
        "Print one job's log lines from all functions, in order; or all that went wrong.",
    ),
    "notices": Listed(
        "cli.operating.notices",
        "notices_group",
        "Show what could not be told of jobs, and tell it again.",
    ),
    "read": Listed(
        "cli.operating.reading",
        "read_command",
        "Show how a FILE would be read, and what its summary would take.",
    ),
    "redrive": Listed(
        "cli.operating.redriving",
        "redrive_command",
        "Show the dead letters, then send them back to the queue they came from.",
    ),
    "resume": Listed(
        "cli.operating.stopping",
        "resume_command",
        "Go on after a `stop`, with what has waited meanwhile.",
    ),
    "retry": Listed(
        "cli.operating.retrying",
        "retry_command",
        "Start failed jobs anew: by name, or all that failed for a reason.",
    ),
    "secret": Listed(
        "cli.operating.secrets",
        "secret",
        "Rotate the callback secret; put a new RunPod key in place.",
    ),
    "show": Listed(
        "cli.operating.show",
        "show_command",
        "Tell the story of a job: its rounds and calls, its checks, its cost, where each second went.",
    ),
    "status": Listed(
        "cli.operating.status",
        "status_command",
        "Say whether it is healthy: jobs, dead letters, the endpoint, times to a summary.",
    ),
    "stop": Listed(
        "cli.operating.stopping",
        "stop_command",
        "Let nothing new begin: no upload becomes a job, no request goes to RunPod, until `resume`.",
    ),
    "submit": Listed(
        "cli.operating.submitting", "submit_command", "Upload FILES and have them summarised."
    ),
    "sweep": Listed(
        "cli.operating.sweeping",
        "sweep_command",
        "Settle now what nobody called back about, as the schedule does every few minutes.",
    ),
    "ui": Listed(
        "cli.page.command",
        "ui_command",
        "Show jobs, stories and summaries in a browser, on this machine alone, until Ctrl-C.",
    ),
    "watch": Listed(
        "cli.operating.watch",
        "watch_command",
        "Show the jobs that move, live, until Ctrl-C: what each is at, and how far.",
    ),
}


@click.group(
    cls=LazyGroup,
    listed=_COMMANDS,
    twins_prefix="SUMMARIES",
    context_settings={"help_option_names": ["-h", "--help"]},
)
def main() -> None:
    """Set up RunPod's endpoint, deploy the stack, and look after it.

    Options have a twin in the environment: SUMMARIES_STACK for --stack of every command, and
    SUMMARIES_COST_JOBS for --jobs of `cost`. Exit codes: 0 fine, 1
    something is wrong, 2 wrong usage, 3 no such job.
    """


if __name__ == "__main__":
    main()
