"""What can be wrong with a deployment, planted on the local stack and the simulator, and undone.

What the emulator can't hold is planted in a recorded reading: everything is read from the stack, and one
reading is then what AWS or RunPod would have said. Those plants are called recorded.
"""

from tests.local.misconfigured import buckets, endpoint, functions, upkeep
from tests.local.misconfigured.world import (
    ADDRESS,
    API_KEY,
    GIVEN,
    MANAGEMENT_KEY,
    OWN,
    PLANTED,
    World,
)

__all__ = [
    "ADDRESS",
    "API_KEY",
    "GIVEN",
    "MANAGEMENT_KEY",
    "OWN",
    "PLANTED",
    "World",
    "buckets",
    "endpoint",
    "functions",
    "upkeep",
]
