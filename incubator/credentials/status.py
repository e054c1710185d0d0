"""Status bits (W3C Bitstring Status List): one bit a credential, 1 for what is good no more."""

import gzip
from collections.abc import Iterable

from incubator.credentials import multibase
from incubator.credentials.choices import STATUS_LIST_LENGTH


def encode_bits(indexes: Iterable[int]) -> str:
    """A list with these bits set: gzip, then multibase base64url. The first bit is the highest of the first byte.

    The same bits give the same text, whenever it is asked for.
    """
    bits = bytearray(STATUS_LIST_LENGTH // 8)
    for index in indexes:
        bits[index >> 3] |= 0x80 >> (index & 7)
    return multibase.encode_url(gzip.compress(bytes(bits), mtime=0))


def is_set(encoded: str, index: int) -> bool:
    """What a list says about a place."""
    bits = gzip.decompress(multibase.decode(encoded))
    return bool(bits[index >> 3] & (0x80 >> (index & 7)))
