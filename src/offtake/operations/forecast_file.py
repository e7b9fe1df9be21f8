"""The forecast file: what the open windows of a contract's commitments will still draw, for the gateway to route by.

`offtake status --forecast FILE` writes it, `[[contracts]] forecast = FILE` reads it. It is of one text of one contract:
an amendment changes what a commitment is, so a forecast that was made before says nothing any more.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from offtake.contract.contract import Contract
from offtake.values.errors import ContractError, Place

BYTES_MAX = 10**7
AGAIN = "write it again: offtake status USAGE… --contract FILE --forecast FILE"
Amount = Annotated[Decimal, Field(ge=0, lt=Decimal(10) ** 18, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, defer_build=True)


class Rest(_Part):
    """From `at` until the window ends, at most `amounts[i]` is drawn in `permille[i]` of a thousand futures."""

    at: AwareDatetime
    amounts: tuple[Amount, ...]


class CommitmentForecast(_Part):
    """One commitment, in dollars as it counts them (`unit` is the currency) or in weighted tokens (`token`).

    `drawn` is what its window had drawn when the forecast was made; `rest` is what it still draws, from then and from
    each month on.
    """

    id: str
    unit: str
    from_: AwareDatetime = Field(alias="from")
    until: AwareDatetime
    drawn: Amount
    basis: str
    rest: tuple[Rest, ...] = Field(min_length=1)


class ForecastFile(_Part):
    """The whole file. `contract_hash` is the sha256 of the contract file's bytes."""

    schema_version: Literal[1] = 1
    contract: str
    contract_hash: str
    at: AwareDatetime
    permille: tuple[Annotated[int, Field(ge=1, le=1_000)], ...] = Field(min_length=1)
    commitments: tuple[CommitmentForecast, ...]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        """Shares and amounts rise, and instants follow each other within the window."""
        if any(low >= high for low, high in pairwise(self.permille)):
            raise ValueError("permille does not rise")
        if len({each.id for each in self.commitments}) < len(self.commitments):
            raise ValueError("a commitment stands twice")
        for each in self.commitments:
            instants = [each.from_, *(rest.at for rest in each.rest), each.until]
            if instants[0] > instants[1] or any(one >= two for one, two in pairwise(instants[1:])):
                raise ValueError(f"{each.id}: instants that do not follow each other within the window")
            for rest in each.rest:
                if len(rest.amounts) != len(self.permille) or list(rest.amounts) != sorted(rest.amounts):
                    raise ValueError(f"{each.id}: one rising amount is expected for each of permille")
        return self


def read_forecast(path: Path, contract: Contract, now: datetime) -> ForecastFile:
    """The forecast of a file for this text of the contract.

    ContractError: G720 for a file that cannot be read or is no forecast, G721 where it is of another contract, G722
    where it is out of date: of another text of the contract, or of windows that are all over.
    """
    where = Place(str(path))
    try:
        with path.open("rb") as file:
            text = file.read(BYTES_MAX + 1)
        found = ForecastFile.model_validate_json(text)
    except OSError as error:
        raise ContractError("G720", f"no forecast: {error.strerror}", where=where, hint=AGAIN) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path_in_file = ".".join(str(step) for step in first["loc"])
        what = f"no forecast: {path_in_file + ': ' if path_in_file else ''}{first['msg'].removeprefix('Value error, ')}"
        raise ContractError("G720", what, where=where, hint=AGAIN) from error
    if found.contract_hash != contract.hash:
        is_ours = found.contract == contract.signed.contract
        raise ContractError(
            "G722" if is_ours else "G721",
            f"the forecast is of {'another text of the contract' if is_ours else found.contract}", where=where,
            why=f"it names {found.contract_hash[:12]}…, and {contract.file} is {contract.hash[:12]}…", hint=AGAIN,
        )  # fmt: skip
    if all(each.until <= now for each in found.commitments):
        ended = max((each.until for each in found.commitments), default=None)
        what = f"the last window of the forecast ended at {ended}" if ended else "a forecast of no commitment"
        raise ContractError("G722", what, where=where, hint=AGAIN)
    return found
