"""Cache economics: what prompt caching would cost on this traffic, policy by policy, and what to do.

A trace with prefix ids is replayed; any other usage gets break-evens and a range. Ratios come from integer counts of
tokens; dollars are those tokens, priced by the one engine at list or under a contract.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from offtake.catalog.catalog import Catalog
from offtake.contract.contract import Contract
from offtake.contract.list_only import list_contract
from offtake.contract.schema.prices import Cache
from offtake.operations.contracts import Opened, moment_of, open_contract
from offtake.operations.usage_input import REJECTED_MAX, FileProgress, UsageInput, open_usage
from offtake.planner.cache.admission import Admission, admissions
from offtake.planner.cache.advice import Advice, advise
from offtake.planner.cache.break_even import BreakEven, break_even
from offtake.planner.cache.policy import NONE, policies
from offtake.planner.cache.rules import CacheRules, is_text, of_model, of_text, ttls_of, under
from offtake.planner.cache.study import Bound, Row, best_per_session, bounds, run, steps
from offtake.planner.cache.tally import Cells, Tally
from offtake.planner.cache.trace import Trace
from offtake.planner.cache.without_prefixes import Observed, observe
from offtake.planner.rated import Pricing
from offtake.rating.breakdown import unrounded
from offtake.store.catalogs import open_catalog
from offtake.store.ledger.ledger import open_ledger
from offtake.store.ledger.prefixes import prefix_requests
from offtake.store.sources import found_files, head_of, is_parquet, is_sqlite, text_source
from offtake.usage.prefixes.reading import PrefixKind, prefix_kind
from offtake.usage.prefixes.request import PrefixReading, PrefixRequest
from offtake.usage.reading import ReadOptions
from offtake.usage.record import UsageRecord, validated
from offtake.usage.rows import Rejected
from offtake.values.errors import CatalogError, InputError, Place
from offtake.values.money import total

ASSUMED = "anthropic:"
LEDGER = PrefixKind("ledger", (), lambda source: iter(()), "calendar")
"""A gateway's ledger, which is no text."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WRITE_METERS = {"1h": "cache_write_1h_tokens"}
Steps = Callable[[int], Callable[[int], None]]
"""Called with the number of steps to come; what it gives is called with 1 after each."""


@dataclass(frozen=True, slots=True)
class Dollars:
    """What the tokens of a policy cost, output included, as if each request lay below every context threshold.

    `long_context` is what the requests above their model's threshold cost more. `chain` is the total where entries on
    branches that an agent left are gone (see planner/cache/chain.py); None for other policies and traces.
    """

    total: Decimal
    output: Decimal
    long_context: Decimal
    chain: Decimal | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """A trace with prefix ids, under every policy asked for; `dollars` by row, None where no price is known."""

    kind: str
    trace: Trace
    rows: tuple[Row, ...]
    dollars: tuple[Dollars | None, ...]
    bounds: tuple[Bound, ...]
    admissions: tuple[Admission, ...]
    best_per_session: Decimal | None
    advice: Advice
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class CacheEconomics:
    """The rules that were used, by model ("" where the trace names none), and what they give.

    `assumed`: neither the trace nor the caller named a model or rules. Either `replayed` or `observed` is there.
    `left_out` says which models of usage are not in `observed`, because their rules are not known.
    """

    rules: tuple[tuple[str, CacheRules], ...]
    assumed: bool
    break_even: tuple[BreakEven, ...]
    priced_at: datetime
    contract: str
    contract_hash: str
    catalog_version: str
    currency: str
    replayed: Replayed | None = None
    observed: tuple[Observed, ...] = ()
    usage: UsageInput | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Setting:
    """What the caller gave, opened."""

    rules: str
    at: datetime | date | None
    signed: Opened | None
    catalog: Catalog

    def moment(self, latest: datetime | None) -> datetime:
        """When it is priced: as asked, else at the end of the trace, else today."""
        if self.signed:
            return moment_of(self.at or latest, self.signed.contract)
        when = self.at or latest or datetime.now(UTC)
        if not isinstance(when, datetime):
            return datetime(when.year, when.month, when.day, tzinfo=UTC)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)

    def rules_of(self, model: str, moment: datetime) -> CacheRules:
        """The rules of one model of the trace."""
        text = self.rules or model or ASSUMED
        if is_text(text):
            return of_text(text)
        if self.signed is None:
            return of_model(text, self.catalog, moment)
        agreed = self.signed.contract.as_of(moment).prices.cache
        minimum = agreed.min_prefix_tokens if isinstance(agreed, Cache) else None
        return under(of_model(text, self.catalog, moment, minimum), self.pricing(moment), text, moment)

    def contract(self, moment: datetime) -> Contract:
        """The contract that prices: list prices where none was given."""
        return self.signed.contract if self.signed else list_contract(moment.date(), moment.date())

    def names(self, moment: datetime) -> tuple[str, str, str, str]:
        """What it is priced with: contract, its hash, the catalogue's version, the currency."""
        contract = self.contract(moment)
        return contract.signed.contract, contract.hash, self.catalog.version, contract.signed.term.currency

    def pricing(self, moment: datetime) -> Pricing:
        """The engine at these prices."""
        return Pricing(unrounded(self.contract(moment)), self.catalog)


def cache_economics(
    path: Path,
    *,
    rules: str = "",
    policy: str = "all",
    contract: Path | None = None,
    catalogs: Sequence[Path] = (),
    at: datetime | date | None = None,
    stance: str | None = None,
    reading: FileProgress | None = None,
    replaying: Steps | None = None,
) -> CacheEconomics:
    """What caching costs on a trace, or what can be said of it on usage without prefix ids.

    `rules` is a model, whose dated prices and minimum count for all of the trace, or rules as text; "" is each
    request's own model, and for a trace without models Anthropic's public multiples. A contract's prices and minimum
    come before the catalogue's. InputError for rules, policies and
    files that cannot be read; CatalogError where a model has no price or no known minimum.
    """
    (file,) = found_files([path])
    signed = open_contract(contract, catalogs=catalogs, stance=stance) if contract else None
    setting = _Setting(rules, at, signed, signed.catalog if signed else open_catalog(catalogs))
    if is_sqlite(file):
        kind = LEDGER if _has_prefixes(file) else None
    else:
        kind = None if is_parquet(file) else prefix_kind(head_of(file))
    if kind is None:
        return _without_prefixes(file, setting, reading)
    trace, rejected = _read(file, kind, setting, reading)
    return _with_prefixes(file, kind, trace, rejected, setting, policy, replaying)


def _ledger_rows(file: Path) -> PrefixReading:
    """The requests of a gateway's ledger whose workloads opted in to caching."""
    with closing(open_ledger(file)) as ledger:
        yield from prefix_requests(ledger)


def _has_prefixes(file: Path) -> bool:
    return next(_ledger_rows(file), None) is not None


def _read(
    file: Path, kind: PrefixKind, setting: _Setting, reading: FileProgress | None
) -> tuple[Trace, list[Rejected]]:
    """The trace, and the rows that could not be read. InputError U110 where nothing is left."""
    trace, rejected = Trace(kind.clock), []
    model = setting.rules if setting.rules and not is_text(setting.rules) else ""
    for row in (
        _ledger_rows(file)
        if kind is LEDGER
        else kind.read(text_source(file, partial(reading, file) if reading else None))
    ):
        try:
            if isinstance(row, PrefixRequest):
                trace.add(row, model)
            else:
                rejected.append(row)
        except InputError as error:
            rejected.append(Rejected.of(error, row.where or Place(str(file)), ""))
        if len(rejected) > REJECTED_MAX:
            last = rejected[-1]
            raise InputError("U150", f"more than {REJECTED_MAX:,} rows cannot be read, the last: {last.error}",
                             where=last.where, hint="is this the trace that was meant?")  # fmt: skip
    if not trace.requests:
        why = str(rejected[0].error) if rejected else ""
        raise InputError("U110", "no request could be read", where=rejected[0].where if rejected else Place(str(file)),
                         why=why)  # fmt: skip
    return trace.finish(), rejected


def _with_prefixes(
    file: Path, kind: PrefixKind, trace: Trace, rejected: Sequence[Rejected], setting: _Setting, policy: str,
    replaying: Steps | None,
) -> CacheEconomics:  # fmt: skip
    latest = EPOCH + timedelta(microseconds=trace.requests[-1].at) if kind.clock == "calendar" else None
    moment = setting.moment(latest)
    assumed = not setting.rules and trace.models == [""]
    if not setting.rules and "" in trace.models and not assumed:
        raise InputError(
            "U103",
            "some requests name no model",
            where=Place(str(file)),
            hint="say the rules of all with --rules MODEL",
        )
    found = [setting.rules_of(model, moment) for model in trace.models]
    asked = policies(policy, found)
    asked = asked if NONE in asked else [NONE, *asked]
    advance = replaying(steps(asked, found)) if replaying else lambda done: None
    rows = run(trace, found, asked, advance)
    pricing = None if assumed or is_text(setting.rules) else setting.pricing(moment)
    dollars = tuple(_dollars(row, trace.models, pricing, moment) if pricing else None for row in rows)
    replayed = Replayed(
        kind.name, trace, tuple(rows), dollars, tuple(bounds(trace, found, advance)), tuple(admissions(trace, found)),
        best_per_session(rows), advise(rows, trace.models), tuple(rejected),
    )  # fmt: skip
    return CacheEconomics(
        tuple(zip(trace.models, found, strict=True)), assumed, _break_evens(found), moment,
        *setting.names(moment), replayed=replayed,
    )  # fmt: skip


def _without_prefixes(file: Path, setting: _Setting, reading: FileProgress | None) -> CacheEconomics:
    named = "" if is_text(setting.rules) else setting.rules
    moment = setting.moment(None)
    vendor = setting.catalog.resolve(named).vendor if named else ""
    stand_in = ReadOptions(model=named or "any", vendor=vendor or "any", start=moment)
    found: dict[tuple[str, str], CacheRules] = {}
    unknown: list[CatalogError] = []

    def rules_of(vendor: str, model: str) -> CacheRules | None:
        try:
            found[vendor, model] = setting.rules_of("" if model == "any" else model, moment)
        except CatalogError as error:
            unknown.append(error)
        return found.get((vendor, model))

    with open_usage([file], stand_in, reading) as usage:
        observed = observe(usage.source, rules_of)
    if unknown and not found:
        raise unknown[0]
    if not observed:
        raise InputError("U110", "there is no usage in this file", where=Place(str(file)))
    return CacheEconomics(
        tuple((model, rules) for (_, model), rules in found.items()),
        not setting.rules and any(model == "any" for _, model in found),
        _break_evens(list(found.values())), moment, *setting.names(moment), observed=tuple(observed), usage=usage,
        left_out=tuple(error.findings[0].what for error in unknown),
    )  # fmt: skip


def _break_evens(rules: Sequence[CacheRules]) -> tuple[BreakEven, ...]:
    chosen = next((each for each in rules if not each.automatic), rules[0])
    return tuple(break_even(chosen, ttl) for ttl in ttls_of([chosen]))


def _dollars(row: Row, models: Sequence[str], pricing: Pricing, at: datetime) -> Dollars | None:
    """The price of a policy's tokens; None for a policy that the vendor does not have."""
    if not row.is_offered:
        return None
    short = _cost(row.cells, row, models, pricing, at, as_if_short=True)
    full = _cost(row.cells, row, models, pricing, at, as_if_short=False)
    chain = _cost(row.chain, row, models, pricing, at, as_if_short=True)[0] if row.chain else None
    return Dollars(short[0], short[1], full[0] - short[0], chain)


def _cost(
    cells: Cells, row: Row, models: Sequence[str], pricing: Pricing, at: datetime, *, as_if_short: bool
) -> tuple[Decimal, Decimal]:
    """All dollars, and those of output."""
    sums: dict[tuple[int, bool], Tally] = {}
    for cell, tally in cells.items():
        sums.setdefault((cell.model, cell.long and not as_if_short), Tally()).add(tally)
    write = WRITE_METERS.get(row.policy.ttl, "cache_write_5m_tokens")
    costs = []
    for (model, is_long), tally in sums.items():
        quantities = {
            "input_tokens": tally.plain, "cache_read_tokens": tally.read + tally.pinged, write: tally.written,
            "output_tokens": tally.output,
        }  # fmt: skip
        record = UsageRecord(
            id=f"{model}", used_at=at, model=models[model], count=tally.requests,
            quantities={meter: tokens for meter, tokens in quantities.items() if tokens},
            context_tokens=(row.rules[model].long_context or 0) + 1 if is_long else 0,
        )  # fmt: skip
        costs.append(pricing.cost(validated(record)))
    return total(each.contracted for each in costs), total(each.output for each in costs)
