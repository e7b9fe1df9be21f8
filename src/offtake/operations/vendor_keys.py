"""Keys of vendors, and the master key of transcripts, from where the configuration says: environment, file, keyring.

The key is never in the configuration or a contract, and never in a message: errors name the source.
"""

from __future__ import annotations

import os
from pathlib import Path

from offtake.operations.serve_config import KeySource, ServeConfig
from offtake.store.transcripts.seal import Master, master_of, require_cryptography
from offtake.values.errors import OutsideError


def vendor_key(config: ServeConfig, vendor: str) -> str:
    """The key of a vendor of the configuration; "" where it has none. OutsideError G703 where it cannot be read."""
    source = config.settings.vendors[vendor].key
    return "" if source is None else _key(source, config, vendor)


def transcripts_master(config: ServeConfig, source: KeySource) -> Master:
    """The master key of transcripts. OutsideError: G703 where it cannot be read or is none, G709 without the extra."""
    require_cryptography()
    master = master_of(_key(source, config, "transcripts"))
    if master is None:
        raise OutsideError(
            "G703", "the key of transcripts is no master key", why="32 bytes, as 64 hex digits or base64",
            hint="`openssl rand -hex 32` prints one",
        )  # fmt: skip
    return master


def _key(source: KeySource, config: ServeConfig, of: str) -> str:
    try:
        key = _read(source, config)
    except (OSError, UnicodeDecodeError) as error:
        raise OutsideError("G703", f"the key of {of} cannot be read: {error}", hint=_hint(source)) from error
    if not key or any(not "!" <= letter <= "~" for letter in key):
        why = "it is not set" if not key else "a key is printable ASCII without spaces"
        raise OutsideError("G703", f"no key for {of}", why=why, hint=_hint(source))
    return key


def _read(source: KeySource, config: ServeConfig) -> str:
    if source.env:
        value = os.environ.get(source.env, "").strip()
        path = os.environ.get(f"{source.env}_FILE", "")
        return value or (Path(path).read_text("utf-8").strip() if path else "")
    if source.file:
        return config.path(source.file).read_text("utf-8").strip()
    service, _, user = (source.keyring or "").partition("/")
    return _from_keyring(service, user)


def _from_keyring(service: str, user: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise OutsideError("G703", "reading a keyring needs the keyring package", hint="pip install keyring") from error
    try:
        return keyring.get_password(service, user) or ""
    except KeyringError as error:
        raise OutsideError(
            "G703", f"the keyring cannot be read: {error}", hint="unlock it, or use env or file"
        ) from error


def _hint(source: KeySource) -> str:
    if source.env:
        return f"set {source.env}, or {source.env}_FILE to a file that holds it"
    if source.file:
        return f"write it to {source.file}"
    return f"store it with `keyring set {(source.keyring or '').replace('/', ' ', 1)}`"
