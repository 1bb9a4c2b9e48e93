"""The stack, its functions and their settings, concurrency, clocks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cli.doctor.readings import RECEIVER, SUBMITTER, SWEEPER, Readings
from cli.doctor.registry import REVERT, Trouble, check, doubtful, wrong
from core.errors import SettingsError
from core.settings import ReceiverSettings, SubmitterSettings, SweeperSettings

_SETTINGS: Mapping[str, Callable[[Mapping[str, str]], Any]] = {
    SUBMITTER: SubmitterSettings.from_env,
    RECEIVER: ReceiverSettings.from_env,
    SWEEPER: SweeperSettings.from_env,
}
_BROKEN = ("_FAILED", "ROLLBACK_COMPLETE")
_UPDATE_ROLLED_BACK = "UPDATE_ROLLBACK_COMPLETE"
_LISTED = 4  # names of what differs
_ROOM_FOR_CALLBACKS = 4  # executions beside the submitters and the sweeper
# AWS refuses requests signed by a clock that is five minutes off.
_REFUSED_SECONDS, _NOTICED_SECONDS = 240, 30


@check("stack-state")
def stack_state(readings: Readings) -> Iterator[Trouble]:
    stack = readings.stack
    if stack.status == _UPDATE_ROLLED_BACK:
        yield doubtful(
            f"the last deployment of {stack.name} was rolled back: the one before it runs",
            "see why in CloudFormation's events of the stack, mend it and deploy again",
        )
    elif stack.status.endswith(_BROKEN):
        yield wrong(
            f"stack {stack.name} is {stack.status}",
            "see why in CloudFormation's events of the stack; after a first deployment that failed,"
            " `destroy` and `deploy`",
        )


@check("settings")
def settings(readings: Readings) -> Iterator[Trouble]:
    refusals: dict[str, list[str]] = {}
    for part, read in _SETTINGS.items():
        function = readings.functions[part]
        try:
            read(function.environment)
        except SettingsError as exc:
            refusals.setdefault(str(exc), []).append(function.name)
    for why, names in refusals.items():
        yield wrong(
            f"{', '.join(names)} can't start: {why}",
            "change the parameter and deploy again; if somebody edited the function's environment by"
            f" hand, undo that, or {REVERT}",
        )


@check("endpoint-alike")
def endpoint_alike(readings: Readings) -> Iterator[Trouble]:
    """Functions that ask different endpoints: a lost callback would never be found."""
    urls = {
        function.environment.get("RUNPOD_API_ENDPOINT") for function in readings.functions.values()
    }
    if len(urls) > 1:
        yield wrong(
            f"the functions have {len(urls)} different RUNPOD_API_ENDPOINT: a lost callback would be"
            " looked for at the wrong one",
            f"undo what was changed by hand, or {REVERT}",
        )


@check("function-state")
def function_state(readings: Readings) -> Iterator[Trouble]:
    for function in readings.functions.values():
        if function.state == "Failed" or function.last_update == "Failed":
            yield wrong(
                f"{function.name} is {function.state}, its last update {function.last_update}",
                "deploy again; AWS says why under the function's configuration",
            )


@check("reserved-concurrency")
def reserved_concurrency(readings: Readings) -> Iterator[Trouble]:
    for function in readings.functions.values():
        if function.reserved_concurrency == 0:
            yield wrong(
                f"{function.name} has a reserved concurrency of 0: it never runs (somebody has stopped"
                " it)",
                f"`aws lambda delete-function-concurrency --function-name {function.name}`",
            )


@check("account-concurrency")
def account_concurrency(readings: Readings) -> Iterator[Trouble]:
    submitters = int(readings.stack.parameters.get("SubmitterMaxConcurrency", "5"))
    needed = submitters + 1 + _ROOM_FOR_CALLBACKS
    left = readings.concurrency.unreserved
    if left < needed:
        yield doubtful(
            f"the account runs {left} functions at once that nobody has reserved (of"
            f" {readings.concurrency.limit}); {submitters} submitters, a sweep and some callbacks need"
            f" {needed}: callbacks would be turned away",
            "ask for more in AWS's Service Quotas (Lambda, concurrent executions), or deploy with a lower"
            " SubmitterMaxConcurrency",
        )


@check("template-age")
def template_age(readings: Readings) -> Iterator[Trouble]:
    if readings.template_differences:
        yield doubtful(
            "the deployed template is not this checkout's; it differs in"
            f" {_some(readings.template_differences)}",
            "`deploy`, or check out the release that is deployed",
        )


@check("code-age")
def code_age(readings: Readings) -> Iterator[Trouble]:
    if readings.code_differences:
        yield doubtful(
            "the functions' code is not this checkout's; it differs in"
            f" {_some(readings.code_differences)}",
            "`deploy`, or check out the release that is deployed",
        )


@check("clock")
def clock(readings: Readings) -> Iterator[Trouble]:
    for whom, ahead in readings.clock_ahead_seconds.items():
        if abs(ahead) < _NOTICED_SECONDS:
            continue
        direction = "ahead of" if ahead > 0 else "behind"
        tell = wrong if abs(ahead) >= _REFUSED_SECONDS else doubtful
        yield tell(
            f"this machine's clock is {abs(ahead):.0f} s {direction} {whom}'s: AWS refuses what is signed"
            " 5 minutes off, and ages here are wrong by as much",
            "set the clock of this machine (NTP); the functions' own is AWS's",
        )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    listed = ", ".join(names[:_LISTED])
    return f"{listed} and {more} more" if more > 0 else listed
