"""`summaries endpoint`: RunPod's endpoint as the model profile and the stack's parameters want it.

commands     plan, apply, show, drift
choices      their options; environment twins; what deploy.toml keeps of them
wanted       from profile and choices to RunPod's request bodies; pure
catalogue    models.toml: images, GPU pools, prices, what was measured and what not
drift        which fields differ, and the body that puts them right; pure
plan         which requests that takes; pure
api          RunPod's management API, version 2
key          the key for it
"""

from cli.endpoint.commands import endpoint

__all__ = ["endpoint"]
