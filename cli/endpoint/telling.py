"""How plan, apply, show and drift tell what they found: in lines for people, or as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from cli.endpoint.catalogue import Catalogue, Variant
from cli.endpoint.drift import Difference, redacted
from cli.endpoint.plan import Request


@dataclass(frozen=True, kw_only=True)
class Model:
    """What the endpoint is for, and on what it runs."""

    profile: str
    variant_name: str
    variant: Variant
    pools: Sequence[str]
    catalogue: Catalogue

    def lines(self) -> list[str]:
        """What it costs, and how much of this is known."""
        count = self.variant.gpus_per_worker
        prices = [self._price(pool, count) for pool in self.pools]
        return [
            f"{self.profile}, {self.variant_name}, on {', else '.join(prices)}",
            f"measured: {self.variant.measured}",
            f"estimated: {self.variant.estimated}",
        ]

    def told(self) -> dict[str, Any]:
        return {
            "profile": self.profile,
            "variant": self.variant_name,
            "measured": self.variant.measured,
            "estimated": self.variant.estimated,
            "dollars_per_second": {
                pool: round(self._dollars(pool) * self.variant.gpus_per_worker, 5)
                for pool in self.pools
            },
        }

    def _price(self, pool: str, count: int) -> str:
        gpus = self.catalogue.pools[pool].gpus
        each = f"{count} of " if count > 1 else ""
        return f"{pool} ({each}{gpus}: ${self._dollars(pool) * count:.5f} a second)"

    def _dollars(self, pool: str) -> float:
        return self.catalogue.pools[pool].dollars_per_second


def plan_told(requests: Sequence[Request], url: str) -> dict[str, Any]:
    return {
        "is_up_to_date": not requests,
        "requests": [
            {
                "method": each.method,
                "url": url + each.path,
                "body": each.body,
                "differences": [one.told() for one in each.differences],
            }
            for each in requests
        ],
    }


def tell_plan(
    requests: Sequence[Request], url: str, model: Model, *, to_stderr: bool = False
) -> None:
    lines = [*model.lines(), ""]
    for each in requests:
        lines.append(f"{each.method} {url}{each.path}")
        lines += [f"  # {line}" for line in _listed(each.differences)]
        lines += [json.dumps(each.body, indent=2, ensure_ascii=False), ""]
    if not requests:
        lines.append("The endpoint is as wanted: nothing to send.")
    click.echo("\n".join(lines).rstrip(), err=to_stderr)


def tell_drift(endpoint_id: str, differing: Sequence[Difference], *, as_json: bool) -> None:
    if as_json:
        tell_json({"endpoint": endpoint_id, "differences": [each.told() for each in differing]})
    elif not differing:
        click.echo(f"endpoint {endpoint_id} is as wanted")
    else:
        click.echo(f"endpoint {endpoint_id} is not as wanted:")
        for line in _listed(differing):
            click.echo(f"  {line}")
        click.echo("`endpoint plan` shows what would put this right, `endpoint apply` does it.")


def tell_endpoint(endpoint: Mapping[str, Any], model: Model, *, as_json: bool) -> None:
    if as_json:
        tell_json({"endpoint": endpoint, **model.told()})
        return
    for name, value in _flat(endpoint):
        click.echo(f"{name:<28} {value}")
    click.echo("\nwanted: " + "\n".join(model.lines()))


def tell_applied(
    made: Mapping[str, Any],
    sent: Sequence[Request],
    remaining: Sequence[Difference],
    known: Mapping[str, str],
    *,
    url: str,
    stack_url: str,
    as_json: bool,
) -> None:
    """Say what the endpoint is now, and where the stack looks for it."""
    if as_json:
        tell_json(
            {
                "endpoint": redacted(made, known),
                "url": url,
                "requests_sent": len(sent),
                "differences": [each.told() for each in remaining],
            }
        )
    elif sent:
        click.echo(f"\nendpoint {made['id']}: {url}")
    if remaining:
        click.echo("RunPod has taken the request, but its endpoint still differs:", err=True)
        for line in _listed(remaining):
            click.echo(f"  {line}", err=True)
    if stack_url != url:
        click.echo(
            f"The stack is told of another endpoint: RunpodApiEndpoint in its answers is {stack_url}",
            err=True,
        )


def tell_json(told: Mapping[str, Any]) -> None:
    click.echo(json.dumps(told, indent=2, ensure_ascii=False))


def _listed(differences: Sequence[Difference]) -> list[str]:
    told = [each.told() for each in differences]
    return [
        f"{each['field']}: wanted {_shown(each['wanted'])}, is {_shown(each['actual'])}"
        for each in told
    ]


def _shown(value: Any) -> str:
    return "(not set)" if value is None else json.dumps(value, ensure_ascii=False)


def _flat(held: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for name, value in held.items():
        if isinstance(value, Mapping):
            lines += _flat(value, f"{prefix}{name}.")
        else:
            lines.append((prefix + name, value if isinstance(value, str) else json.dumps(value)))
    return lines
