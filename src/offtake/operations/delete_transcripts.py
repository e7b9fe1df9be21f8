"""Deletion on request: a customer's key is destroyed, the files go, and a signed certificate says what went.

The certificate names each file by the SHA-256 of its ciphertext, so that whoever finds a copy later can tell that it is
one of them, and that nobody can read it: the only key is gone.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from offtake.operations.gateway_store import store_path
from offtake.operations.signatures import is_signed, signed
from offtake.operations.transcripts import nothing_kept
from offtake.store.files import replacing
from offtake.store.ledger.history import instant
from offtake.store.ledger.keys import server_secret
from offtake.store.ledger.leases import microseconds
from offtake.store.transcripts.customer_key import folder_of, key_id
from offtake.store.transcripts.folder import CERTIFICATES, delete, transcripts_folder
from offtake.values.errors import InputError

WHAT = "deletion of transcripts"


def delete_transcripts(
    customer: str, by: str, now: datetime, *, config: Path | None, store: Path | None
) -> tuple[dict[str, object], Path]:
    """Destroy all that is kept of a customer; the signed certificate, and where it stands.

    InputError: L741 where nothing is kept, L743 where nobody signs. OSError before the key is gone: nothing happened.
    """
    if not by.strip():
        raise InputError("L743", "a deletion is signed off by somebody", hint="--by NAME")
    path = store_path(config, store)
    folder = transcripts_folder(path)
    if not folder_of(folder, customer).is_dir():
        raise nothing_kept(folder, customer)
    secret = server_secret(path)
    (folder / CERTIFICATES).mkdir(mode=0o700, exist_ok=True)
    found = delete(folder, customer, microseconds(now))
    if found is None:
        raise nothing_kept(folder, customer)
    key, files = found
    instants = [at for each in files for at in (each.first_at, each.last_at) if at is not None]
    document: dict[str, object] = {
        "certificate": WHAT, "customer": customer, "deleted_at": now.isoformat(), "by": by, "key": key,
        "calls": sum(each.calls for each in files), "bytes": sum(each.bytes for each in files),
        "from": instant(min(instants)).isoformat() if instants else None,
        "until": instant(max(instants)).isoformat() if instants else None,
        "files": [
            {"name": each.name, "bytes": each.bytes, "calls": each.calls, "sha256": each.sha256} for each in files
        ],
    }  # fmt: skip
    document = signed(document, secret)
    stamp = f"{now:%Y%m%dT%H%M%S%fZ}"
    target = folder / CERTIFICATES / f"{folder_of(folder, customer).name}.{stamp}.json"
    with replacing(target) as file:
        file.write(json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")
    return document, target


def check_certificate(path: Path, *, config: Path | None, store: Path | None) -> tuple[dict[str, Any], list[str]]:
    """What a certificate says, and what of it is still there: names of files, and `key.json`.

    InputError (L743) where it is none, was changed, or was signed with another store's secret.
    """
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("certificate") != WHAT:
        raise InputError("L743", f"{path} is no certificate", hint="`offtake transcripts delete` writes one")
    document.pop("schema_version", None)  # as the command line prints it
    books = store_path(config, store)
    if not is_signed(document, server_secret(books)):
        raise InputError("L743", f"{path} was changed since it was signed, or signed with another store's secret")
    place = folder_of(transcripts_folder(books), document["customer"])
    left = [each["name"] for each in document["files"] if (place / each["name"]).exists()]
    if document["key"] and key_id(place) == document["key"]:
        left.append("key.json")
    return document, left
