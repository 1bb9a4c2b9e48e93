"""What RunPod's management API takes, as far as it is used here: written down by hand from its schema.

Closed objects, as there: a field that is not named is refused (`unevaluatedProperties: false`).
"""

from typing import Any

from jsonschema import Draft202012Validator

_TEXT = {"type": "string"}
_CONTAINER: dict[str, Any] = {
    "properties": {
        "args": _TEXT,
        "disk": {"type": "integer", "minimum": 1},
        "env": {"type": "object", "additionalProperties": _TEXT},
        "image": _TEXT,
        "ports": {"type": "array", "items": _TEXT},
        "registry": {"type": ["string", "null"]},
    }
}
_VERSION = {"type": "string", "pattern": r"^\d+\.\d+$"}
_GPU = {
    "properties": {
        "pools": {"type": "array", "minItems": 1, "items": _TEXT},
        "excludedTypes": {"type": "array", "uniqueItems": True, "items": _TEXT},
        "count": {"type": "integer", "minimum": 1},
        "allowedCudaVersions": {"type": "array", "items": _VERSION},
    }
}
_QUEUE_DELAY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["type", "queueDelay"],
    "properties": {
        "type": {"enum": ["QUEUE_DELAY"]},
        "queueDelay": {"type": "number", "minimum": 0.5},
    },
}
_COMMON = {
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "scaling": _QUEUE_DELAY,
        "templateId": {"type": "string", "minLength": 1},
        "timeout": {"type": "integer"},
        "flashboot": {"enum": ["OFF", "FLASHBOOT", "PRIORITY_FLASHBOOT"]},
        "dataCenterIds": {"type": "array", "items": _TEXT},
        "workers": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "min": {"type": "integer", "minimum": 0},
                "max": {"type": "integer", "minimum": 0},
                "idleTimeout": {"type": "integer", "minimum": 1, "maximum": 3600},
            },
        },
    }
}
CREATE_ENDPOINT: dict[str, Any] = {
    "type": "object",
    "allOf": [
        _CONTAINER,
        _COMMON,
        {"if": {"not": {"required": ["templateId"]}}, "then": {"required": ["image"]}},
        {
            "required": ["name", "type", "scaling"],
            "properties": {
                "type": {"enum": ["QUEUE", "LOAD_BALANCER"]},
                "gpu": {
                    "allOf": [_GPU, {"properties": {"minCudaVersion": _VERSION}}],
                    "required": ["pools"],
                    "unevaluatedProperties": False,
                },
            },
        },
    ],
    "unevaluatedProperties": False,
}
UPDATE_ENDPOINT: dict[str, Any] = {
    "type": "object",
    "allOf": [
        _CONTAINER,
        _COMMON,
        {
            "properties": {
                "gpu": {
                    "allOf": [
                        _GPU,
                        {
                            "properties": {
                                "minCudaVersion": {"type": "string", "pattern": r"^$|^\d+\.\d+$"}
                            },
                            "dependentRequired": {"excludedTypes": ["pools"]},
                        },
                    ],
                    "unevaluatedProperties": False,
                }
            }
        },
    ],
    "unevaluatedProperties": False,
}
_TEMPLATE: dict[str, Any] = {
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "allowedCudaVersions": {"type": "array", "items": _VERSION},
        "category": {"enum": ["CPU", "NVIDIA", "AMD"]},
        "public": {"type": "boolean"},
        "serverless": {"type": "boolean"},
        "startJupyter": {"type": "boolean"},
        "startSsh": {"type": "boolean"},
    }
}
CREATE_TEMPLATE: dict[str, Any] = {
    "type": "object",
    "allOf": [_CONTAINER, _TEMPLATE, {"required": ["name", "image"]}],
    "unevaluatedProperties": False,
}
UPDATE_TEMPLATE: dict[str, Any] = {
    "type": "object",
    "allOf": [_CONTAINER, _TEMPLATE],
    "unevaluatedProperties": False,
}


def problems(schema: dict[str, Any], body: Any) -> list[str]:
    return [each.message for each in Draft202012Validator(schema).iter_errors(body)]
