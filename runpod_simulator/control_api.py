"""Routes under /_simulator/, which RunPod does not have: inspect jobs and choose scenarios.

They show no prompt, output or webhook URL, so they need no key.
"""

from typing import Any

from aiohttp import web

from runpod_simulator.endpoint import Endpoint
from runpod_simulator.scenarios import SCENARIOS, Rule, UnknownScenario, names_in

_FIELDS = {"scenario", "scenarios", "next_jobs", "containing", "share"}


def routes(endpoint: Endpoint) -> list[web.RouteDef]:
    api = _ControlApi(endpoint)
    return [
        web.get("/_simulator/health", api.health),
        web.get("/_simulator/jobs", api.jobs),
        web.get("/_simulator/workers", api.workers),
        web.get("/_simulator/deliveries", api.deliveries),
        web.get("/_simulator/scenarios", api.scenarios),
        web.post("/_simulator/scenarios", api.add_scenarios),
        web.delete("/_simulator/scenarios", api.clear_scenarios),
    ]


def parse_rule(sent: Any) -> Rule:
    """
    Raises:
        UnknownScenario: it does not describe a rule.
    """
    if not isinstance(sent, dict) or not sent.keys() <= _FIELDS:
        raise UnknownScenario(f"send a JSON object with: {', '.join(sorted(_FIELDS))}")
    names = (*names_in(sent.get("scenario", [])), *names_in(sent.get("scenarios", [])))
    next_jobs, containing = sent.get("next_jobs"), sent.get("containing", "")
    share = sent.get("share", 1.0)
    if not names:
        raise UnknownScenario("name at least one scenario")
    if next_jobs is not None and (type(next_jobs) is not int or next_jobs < 1):
        raise UnknownScenario("next_jobs must be a whole number above 0")
    if not isinstance(containing, str):
        raise UnknownScenario("containing must be a string")
    if type(share) not in {int, float}:
        raise UnknownScenario("share must be a number from 0 to 1")
    return Rule(scenarios=names, next_jobs=next_jobs, containing=containing, share=share)


class _ControlApi:
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
                "requests": dict(self._endpoint.request_counts),
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
            rule = parse_rule(await request.json())
        except ValueError as exc:  # not JSON, or not a rule
            return web.json_response({"error": str(exc)}, status=400)
        self._endpoint.rules.add(rule)
        return web.json_response({"rules": self._rules()})

    async def clear_scenarios(self, _request: web.Request) -> web.Response:
        self._endpoint.rules.clear()
        return web.json_response({"rules": []})

    def _rules(self) -> list[dict[str, Any]]:
        return [
            {
                "scenarios": rule.scenarios,
                "next_jobs": rule.next_jobs,
                "containing": rule.containing,
                "share": rule.share,
            }
            for rule in self._endpoint.rules.rules()
        ]
