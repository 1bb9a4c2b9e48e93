"""Reads a CloudFormation template: YAML with short forms, which become what they are short for."""

from typing import Any

_PLAIN = frozenset({"Ref", "Condition"})


def read_template(text: str) -> Any:
    """Return a template with its intrinsic functions written out, as JSON has them."""
    import yaml  # noqa: PLC0415 - most commands never read the template

    # The one in C, where it is there: the other takes half a second for this project's template.
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        pass

    def long_form(loader: Any, tag: str, node: yaml.Node) -> dict[str, Any]:
        value: Any = None
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        elif isinstance(node, yaml.MappingNode):
            value = loader.construct_mapping(node, deep=True)
        if tag == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {tag if tag in _PLAIN else f"Fn::{tag}": value}

    Loader.add_multi_constructor("!", long_form)
    return yaml.load(text, Loader)  # noqa: S506 (derived from the safe loader)
