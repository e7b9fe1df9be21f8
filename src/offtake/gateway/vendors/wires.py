"""The wire of each `[vendors]` table, and credentials of clouds kept fresh while a worker serves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from offtake.gateway.log import say
from offtake.gateway.vendors.bedrock import BedrockWire
from offtake.gateway.vendors.endpoint import AnthropicWire, Endpoint, OpenAIWire, Wire
from offtake.gateway.vendors.vertex import VertexWire
from offtake.operations.serve_config import VendorSettings
from offtake.values.errors import OutsideError

RENEW_SECONDS = 5.0
"""How often is looked whether credentials end soon; both clouds' libraries say so minutes before."""


@runtime_checkable
class Renewed(Protocol):
    """A wire whose credentials end. `renew` blocks, and does nothing while they are good."""

    def renew(self) -> None: ...


def wire_of(vendor: VendorSettings, key: str) -> Wire:
    """The wire that a `[vendors]` table names. OutsideError: G706 for a missing package, G707 for no credentials."""
    match vendor.wire:
        case "anthropic":
            return AnthropicWire(key)
        case "bedrock":
            return BedrockWire(vendor.base_url, vendor.signed_region, key, vendor.aws_profile, vendor.betas)
        case "vertex":
            return VertexWire(vendor.betas)
        case "openai" | "azure":
            azure = vendor.wire == "azure"
            return OpenAIWire(key, vendor.endpoints, azure=azure, api_version=vendor.azure_api_version)


async def keep_renewed(endpoints: Callable[[], Iterable[Endpoint]]) -> None:
    """Renew what ends, in threads, until cancelled; `endpoints` are those of the moment.

    What cannot be renewed is said, and used until it ends.
    """
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        for name, wire in [(each.name, each.wire) for each in endpoints() if isinstance(each.wire, Renewed)]:
            try:
                await asyncio.to_thread(wire.renew)
            except OutsideError as error:
                say("credentials cannot be renewed", vendor=name, why=str(error))
