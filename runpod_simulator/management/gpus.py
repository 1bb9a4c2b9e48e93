"""The catalogue of GPUs: one type for each pool that is known, and how many are free."""

from collections.abc import Mapping
from typing import Any

LEVELS = ("NONE", "LOW", "MEDIUM", "HIGH")  # RunPod's
USUAL = "HIGH"

# Pool, id, name, GB, dollars an hour: RunPod's price table for serverless of 2026-08.
_TYPES = (
    ("AMPERE_48", "NVIDIA A40", "A40", 48, 1.22),
    ("ADA_48_PRO", "NVIDIA L40S", "L40S", 48, 1.91),
    ("AMPERE_80", "NVIDIA A100 80GB PCIe", "A100 PCIe", 80, 2.74),
    ("ADA_80_PRO", "NVIDIA H100 80GB HBM3", "H100 SXM", 80, 4.18),
    ("HOPPER_141", "NVIDIA H200", "H200 SXM", 141, 5.58),
    ("BLACKWELL_180", "NVIDIA B200", "B200", 180, 8.64),
)


def gpus(stock: Mapping[str, str] | None) -> list[dict[str, Any]]:
    """Return the types as the API lists them, with their availability where it was asked for."""
    return [
        {
            "id": gpu_id,
            "name": name,
            "pool": pool,
            "manufacturer": "NVIDIA",
            "memory": memory_gb,
            "secure": True,
            "community": False,
            "price": {"secure": dollars, "community": 0.0, "serverless": dollars},
            "maxCount": {"secure": 8, "community": 0},
            **({"availability": stock.get(pool, USUAL)} if stock is not None else {}),
        }
        for pool, gpu_id, name, memory_gb, dollars in _TYPES
    ]
