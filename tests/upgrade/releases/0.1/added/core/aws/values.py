"""Where today's tests look for what was elsewhere in this release."""

from core.aws.items import packed, unpacked

__all__ = ["packed", "unpacked"]
