"""A vendor's key from where the configuration says: the environment, a file, or the system's keyring.

The key is never in the configuration or a contract, and never in a message: errors name the source.
"""

from __future__ import annotations

import os
from pathlib import Path

from offtake.operations.serve_config import KeySource, ServeConfig
from offtake.values.errors import OutsideError


def vendor_key(config: ServeConfig, vendor: str) -> str:
    """The key of a vendor of the configuration; "" where it has none. OutsideError G703 where it cannot be read."""
    source = config.settings.vendors[vendor].key
    if source is None:
        return ""
    try:
        key = _read(source, config)
    except OSError as error:
        raise OutsideError("G703", f"the key of {vendor} cannot be read: {error}", hint=_hint(source)) from error
    if not key or any(not "!" <= letter <= "~" for letter in key):
        why = "it is not set" if not key else "a key is printable ASCII without spaces"
        raise OutsideError("G703", f"no key for {vendor}", why=why, hint=_hint(source))
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
