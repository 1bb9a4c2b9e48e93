"""The planted defects, by the part of the system that they are in."""

from defects.plant import Plant
from defects.plants import (
    callbacks,
    deployment,
    records,
    requests,
    results,
    secrecy,
    stages,
    sweeps,
    uploads,
)

PLANTS: tuple[Plant, ...] = (
    *uploads.PLANTS,
    *requests.PLANTS,
    *callbacks.PLANTS,
    *results.PLANTS,
    *stages.PLANTS,
    *records.PLANTS,
    *sweeps.PLANTS,
    *secrecy.PLANTS,
    *deployment.PLANTS,
)
