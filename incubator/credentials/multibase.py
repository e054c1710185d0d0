"""Bytes as texts: base58btc (``z…``) for keys and signatures, base64url without padding (``u…``) for long lists."""

import base64

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ED25519 = b"\xed\x01"  # multicodec: what follows is an Ed25519 public key of 32 bytes


def base58_encode(content: bytes) -> str:
    number, digits = int.from_bytes(content), ""
    while number:
        number, digit = divmod(number, 58)
        digits = ALPHABET[digit] + digits
    return "1" * (len(content) - len(content.lstrip(b"\0"))) + digits


def base58_decode(text: str) -> bytes:
    """Raises ``ValueError`` for letters that are none of base58's."""
    number = 0
    for letter in text:
        number = number * 58 + ALPHABET.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


def encode(content: bytes) -> str:
    """Multibase base58btc."""
    return "z" + base58_encode(content)


def decode(text: str) -> bytes:
    """The bytes of either form; ``ValueError`` for another."""
    if text[:1] == "z":
        return base58_decode(text[1:])
    if text[:1] == "u":
        return base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
    raise ValueError("neither base58btc nor base64url")


def encode_url(content: bytes) -> str:
    """Multibase base64url without padding."""
    return "u" + base64.urlsafe_b64encode(content).decode().rstrip("=")


def public_key_text(key: bytes) -> str:
    """``publicKeyMultibase`` of the 32 bytes of an Ed25519 public key."""
    return encode(ED25519 + key)


def public_key_bytes(text: str) -> bytes:
    content = decode(text)
    if not content.startswith(ED25519) or len(content) != len(ED25519) + 32:
        raise ValueError("no Ed25519 public key")
    return content[len(ED25519) :]
