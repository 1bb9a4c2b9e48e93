"""Routes under /_simulator/, which RunPod does not have: look inside, choose scenarios.

They show no prompt, no output and no webhook URL, so they need no key.
"""

from typing import Any

from aiohttp import web

from .endpoint import Endpoint
from .scenarios import SCENARIOS, Rule, UnknownScenarioError, names_in

_FIELDS = {"scenario", "scenarios", "next_jobs", "containing", "share"}


def routes(endpoint: Endpoint) -> list[web.RouteDef]:
    control = _Control(endpoint)
    return [
        web.get("/_simulator/health", control.health),
        web.get("/_simulator/jobs", control.jobs),
        web.get("/_simulator/workers", control.workers),
        web.get("/_simulator/deliveries", control.deliveries),
        web.get("/_simulator/scenarios", control.scenarios),
        web.post("/_simulator/scenarios", control.add_scenarios),
        web.delete("/_simulator/scenarios", control.clear_scenarios),
    ]


def read_rule(sent: Any) -> Rule:
    """
    Raises:
        UnknownScenarioError: it is no rule.
    """
    if not isinstance(sent, dict) or not sent.keys() <= _FIELDS:
        msg = f"send a JSON object with: {', '.join(sorted(_FIELDS))}"
        raise UnknownScenarioError(msg)
    names = (*names_in(sent.get("scenario", [])), *names_in(sent.get("scenarios", [])))
    next_jobs, containing = sent.get("next_jobs"), sent.get("containing", "")
    share = sent.get("share", 1.0)
    if not names:
        msg = "name at least one scenario"
        raise UnknownScenarioError(msg)
    if next_jobs is not None and (type(next_jobs) is not int or next_jobs < 1):
        msg = "next_jobs must be a whole number above 0"
        raise UnknownScenarioError(msg)
    if not isinstance(containing, str):
        msg = "containing must be a string"
        raise UnknownScenarioError(msg)
    if type(share) not in {int, float}:
        msg = "share must be a number from 0 to 1"
        raise UnknownScenarioError(msg)
    return Rule(scenarios=names, next_jobs=next_jobs, containing=containing, share=share)


class _Control:
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def health(self, _request: web.Request) -> web.Response:
        config = self._endpoint.config
        return web.json_response(
            {
                "status": "ok",
                "endpoint": config.endpoint,
                "worker": config.worker,
                "time_scale": config.time_scale,
                "now_seconds": self._endpoint.clock.now(),
                "requests": dict(self._endpoint.calls),
                **self._endpoint.health(),
            }
        )

    async def jobs(self, _request: web.Request) -> web.Response:
        return web.json_response({"jobs": [record.public() for record in self._endpoint.records()]})

    async def workers(self, _request: web.Request) -> web.Response:
        return web.json_response({"workers": [one.public() for one in self._endpoint.workers()]})

    async def deliveries(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"deliveries": [one.public() for one in self._endpoint.deliveries()]}
        )

    async def scenarios(self, _request: web.Request) -> web.Response:
        known = {name: scenario.meaning for name, scenario in SCENARIOS.items()}
        return web.json_response({"rules": self._rules(), "scenarios": known})

    async def add_scenarios(self, request: web.Request) -> web.Response:
        try:
            rule = read_rule(await request.json())
        except ValueError as exc:  # not JSON, or not a rule
            return web.json_response({"error": str(exc)}, status=400)
        self._endpoint.rulebook.add(rule)
        return web.json_response({"rules": self._rules()})

    async def clear_scenarios(self, _request: web.Request) -> web.Response:
        self._endpoint.rulebook.clear()
        return web.json_response({"rules": []})

    def _rules(self) -> list[dict[str, Any]]:
        return [
            {
                "scenarios": rule.scenarios,
                "next_jobs": rule.next_jobs,
                "containing": rule.containing,
                "share": rule.share,
            }
            for rule in self._endpoint.rulebook.rules()
        ]
