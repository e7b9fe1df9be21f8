"""AES-256-GCM in three layers of keys: what is written is read with the customer's key, and that with the master key.

    master key    from the environment, a file or the keyring; in no file of ours
    data key      random, one a customer; in a file of its own, wrapped by the master key
    file key      HKDF-SHA256 of the data key and 256 random bits at the head of each file

Without its data key nothing of a customer can be read, wherever copies of the files are: destroying the key is the
deletion. A file has one writer, which is never a second one's: calls in it are numbered, and the number is the nonce.
So no nonce is used twice with one key, whatever is killed, restarted or runs beside it. (Random nonces of 96 bits under
the data key would be good for some 2^32 calls of a customer; a salt of 256 bits never meets another.)
"""

from __future__ import annotations

import base64
import binascii
import secrets
from importlib.util import find_spec

from offtake.values.errors import OutsideError

KEY_BYTES, NONCE_BYTES, SALT_BYTES, TAG_BYTES = 32, 12, 32, 16
_FILE = b"offtake transcripts: file key"


class SealError(Exception):
    """What was sealed with another key, or was changed since."""


class Master:
    """The key that wraps the customers' keys; `bound` is what a wrapped key is good for."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """A key as it may stand on a disk. Random nonces suffice here: there are as many as customers."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, key, bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key again. SealError: wrapped by another master key, or for something else."""
        return _opened(self._key, wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound)


class FileSeal:
    """The key of one file. Calls are sealed under their number, which its one writer counts up."""

    def __init__(self, data_key: bytes, salt: bytes) -> None:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        self._key = HKDF(SHA256(), KEY_BYTES, salt, _FILE).derive(data_key)

    def seal(self, number: int, content: bytes, bound: bytes) -> bytes:
        """The content, encrypted and bound to what is said beside it in the clear; a number is used once."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key).encrypt(number.to_bytes(NONCE_BYTES, "big"), content, bound)

    def open(self, number: int, sealed: bytes, bound: bytes) -> bytes:
        """The content. SealError: it, what it is bound to or its place in the file is not what was written."""
        return _opened(self._key, number.to_bytes(NONCE_BYTES, "big"), sealed, bound)


def master_of(text: str) -> Master | None:
    """The master key of its text, 64 hex digits or base64 of 32 bytes; None where it is neither."""
    for decode in (bytes.fromhex, lambda text: base64.b64decode(text, validate=True)):
        try:
            key = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(key) == KEY_BYTES:
            return Master(key)
    return None


def require_cryptography() -> None:
    """OutsideError G709 where the extra is not installed."""
    if find_spec("cryptography") is None:
        raise OutsideError(
            "G709", "transcripts need the cryptography package", hint="pip install 'offtake[transcripts]'"
        )


def _opened(key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(nonce, sealed, bound)
    except (InvalidTag, ValueError) as error:
        raise SealError("the seal does not fit") from error
