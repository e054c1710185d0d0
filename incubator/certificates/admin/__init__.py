"""The staff desk's pages of this room: seals, editions, ceremonies, and what is added to the pages of awards."""

from incubator.certificates.admin import awards, ceremonies, seals

__all__ = ["awards", "ceremonies", "seals"]
