"""The gateway's configuration, `offtake.toml`: where it listens, which contracts are in force, how vendors are reached.

No commercial term stands here, and no secret: prices and limits come from the contracts, and a vendor's key from the
environment, a file or the keyring. Every key of the file is in docs/reference/config.md.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from offtake.contract.schema.field_types import Term
from offtake.contract.validate import place_of, validate
from offtake.ledger.budgets import OWNERS, BudgetRule, budget_amount
from offtake.values.errors import ContractError, Finding, InputError, OutsideError, Place

Mode = Literal["observe", "enforce"]
Rule = Literal[
    "affiliates", "residency", "retention", "training", "suspension", "evaluation", "block", "limits", "budget"
]
"""What may be observed only; the other rules say whether a request has a price and an owner at all."""
Wire = Literal["openai", "anthropic", "azure", "bedrock", "vertex"]
_AWS_REGION = re.compile(r"(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
_TABLE = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+|\"[^\"]*\")\s*=")


class GatewaySettings(Term):
    """Where the gateway listens, and how it behaves."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8700, ge=0, le=65_535)
    """The port to listen on; 0 takes a free one, which is printed."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that serve; one a core is plenty."""
    mode: Mode = "enforce"
    """observe: forward everything, and record what would have been refused or routed otherwise."""
    on_ledger_failure: Literal["refuse", "pass_and_journal"] = "refuse"
    """While the ledger cannot be reached, requests on budgets are refused, or forwarded and written down."""
    durability: Literal["process", "power"] = "process"
    """process: every book survives `kill -9`. power: an answer waits until its settlement is on the disk."""
    body_mb_max: int = Field(default=32, ge=1, le=1_024)
    """The largest request body, in MB of 10^6 bytes."""
    request_seconds_max: int = Field(default=900, ge=1, le=86_400)
    """How long one request may take, first byte to last."""
    idle_seconds_max: int = Field(default=120, ge=1, le=86_400)
    """How long a vendor may be silent within a request."""
    drain_seconds_max: int = Field(default=30, ge=0, le=3_600)
    """How long requests in flight may go on when the gateway is told to stop."""
    metrics: Literal["local", "open", "none"] = "local"
    """Who reads /metrics: clients of this machine, everyone, or nobody."""
    log: Literal["none", "errors", "all"] = "none"
    """Requests as JSON lines on stderr, without content: none, those that were refused or failed, or all."""
    keys: Literal["required", "none"] = "required"
    """none: every caller is let in as the key `anonymous`, without budgets; for a try on one's own machine."""


class StoreSettings(Term):
    """Where the books are."""

    path: str = "offtake.db"
    """The ledger, an SQLite file; beside it stands the secret of the gateway's keys."""
    journal: str = "journal"
    """The folder of the workers' journals; on a local disk."""


class KeySource(Term):
    """Where a key is read from: one of the three."""

    env: str | None = None
    """A variable of the environment; where it is unset, the file that `<name>_FILE` names."""
    file: str | None = None
    """A file that holds the key and nothing else."""
    keyring: str | None = None
    """`service/user` in the system's keyring."""


class VendorSettings(Term):
    """One vendor's endpoint."""

    wire: Wire
    """The dialect and the way of signing: OpenAI's (also Google, xAI, Mistral, DeepSeek, …), Anthropic's, a cloud's."""
    base_url: str
    """As the vendor's SDK takes it: with `/v1` for OpenAI's wire, without for Anthropic's; Vertex' to its location."""
    key: KeySource | None = None
    """Where its key is; a vendor without one is called without. Bedrock and Vertex find their cloud's."""
    aws_profile: str | None = None
    """Bedrock: the profile whose credentials sign; botocore's own choice when absent."""
    aws_region: str | None = None
    """Bedrock: the region that is signed for, where the address does not name it."""
    betas: list[str] | None = None
    """Bedrock and Vertex, which refuse betas unknown to them: the values of `anthropic-beta` that pass; absent: all."""
    azure_api_version: str | None = None
    """Azure: that of a dated API below `…/openai`, such as 2024-10-21; absent for the v1 API below `…/openai/v1`."""
    prices: str | None = None
    """Its name in the contract and the catalogue, where that is not the name of this table."""
    access: str = "api"
    """The form of access that the contract prices: api, bedrock, azure, vertex, …"""
    region: str = "global"
    """Where it serves."""
    endpoints: list[str] = Field(default=["chat", "responses", "embeddings", "files", "batches"])
    """What an endpoint on OpenAI's wire offers."""
    models: dict[str, str] = Field(default={})
    """The endpoint's own names of models, by the contract's: `claude-opus-4-7 = "anthropic.claude-opus-4-7-v1:0"`."""
    tls_verify: bool = True
    """false: certificates are not checked; for a test on one's own machine."""

    @property
    def runs_batches(self) -> bool:
        """Whether the vendor runs batches on this endpoint's wire."""
        return self.wire == "anthropic" or (self.wire == "openai" and {"files", "batches"} <= set(self.endpoints))

    @property
    def signed_region(self) -> str:
        """The region that calls to Bedrock are signed for, "" where nothing says it."""
        found = _AWS_REGION.search(urlsplit(self.base_url).hostname or "")
        return self.aws_region or (found[1] if found else "")


class ContractSettings(Term):
    """One contract in force."""

    file: str
    """The contract file."""
    vendor: str | None = None
    """The `[vendors]` table that serves it; the contract's own vendor when absent."""
    mode: Mode | None = None
    """As in `[gateway]`, for this contract alone."""
    catalogs: list[str] = Field(default=[])
    """More catalogue files with list prices."""
    facts: list[str] = Field(default=[])
    """Facts files."""
    forecast: str | None = None
    """What its commitments will still draw, as `offtake status --forecast` writes it; routing weighs them by it."""
    observe: list[Rule] = Field(default=[])
    """Rules that are only observed, such as `residency` or `limits`, while the rest is enforced."""


class BudgetSettings(Term):
    """What everyone with a key of one team, customer or workload may spend together."""

    owner: str
    """`team:NAME`, `customer:NAME` or `workload:NAME`."""
    amount: str
    """So much in a period, such as `500 USD / month`, or once and for all."""
    overdraft: str | None = None
    """How far it may be overdrawn, such as `50 USD`; without a line the budget is hard."""


class CacheSettings(Term):
    """A workload whose prompts may get cache marks, each where the planner's rule says that it pays."""

    workload: str
    """The workloads, as a pattern: `support-*`."""
    ttl: Literal["5m", "1h", "auto"] = "auto"
    """How long what is written is kept; auto: whichever saves more."""
    where: list[Literal["tools", "system", "last"]] = Field(default=["tools", "system", "last"])
    """Where a mark may stand; none: prefixes are recorded for `offtake cache`, and nothing is marked."""


class NonUrgentSettings(Term):
    """A workload whose calls may wait: a client's `Prefer: respond-async` makes one a line of a batch, to poll for."""

    workload: str
    """The workloads, as a pattern: `nightly-*`."""
    flex: bool = False
    """Its other calls ask for OpenAI's flex tier, where the contract prices it; `Prefer: wait` does so for one call."""


class TelemetrySettings(Term):
    """Traces and metrics for OpenTelemetry; needs the extra `otel`. Content is never in them."""

    otlp: str
    """The collector's address for OTLP over HTTP, such as `http://127.0.0.1:4318`."""
    seconds: int = Field(default=10, ge=1, le=3_600)
    """How often they are delivered."""


class TranscriptSettings(Term):
    """Calls that are kept, encrypted, of customers who opted in; needs the extra `transcripts`. Absent: none is."""

    customers: list[str] = Field(min_length=1)
    """Whose calls are kept, as patterns: `acme-*`. Keys without a customer are those of the customer `""`."""
    workloads: list[str] = Field(default=["*"])
    """Which of their workloads, as patterns."""
    hours: int = Field(ge=1, le=8_784)
    """For how long at most; a key or a contract that allows less, or nothing, has its way."""
    key: KeySource
    """Where the master key is: 32 random bytes as 64 hex digits, such as `openssl rand -hex 32` prints."""


class Settings(Term):
    """The whole file."""

    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    """Where the gateway listens, and how it behaves."""
    store: StoreSettings = Field(default_factory=StoreSettings)
    """Where the books are."""
    vendors: dict[str, VendorSettings] = Field(min_length=1)
    """Endpoints, by name."""
    contracts: list[ContractSettings] = Field(min_length=1)
    """Contracts in force."""
    budgets: list[BudgetSettings] = Field(default=[])
    """Budgets of many keys together."""
    cache: list[CacheSettings] = Field(default=[])
    """Workloads whose prompts are cached."""
    non_urgent: list[NonUrgentSettings] = Field(default=[])
    """Workloads whose calls may wait."""
    telemetry: TelemetrySettings | None = None
    """Where traces and metrics go; nowhere when absent."""
    transcripts: TranscriptSettings | None = None
    """Which calls are kept; none when absent."""


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """A configuration with its place: paths in it are relative to the file."""

    file: Path
    settings: Settings

    def path(self, name: str) -> Path:
        """A path of the file, from where people stand."""
        return self.file.parent / name

    @property
    def budgets(self) -> dict[str, BudgetRule]:
        """The budgets of many keys together, by their owner. InputError (L720) for an amount that is none."""
        found = {}
        for each in self.settings.budgets:
            amount, per = budget_amount(each.amount)
            overdraft, _ = budget_amount(each.overdraft) if each.overdraft else (0, None)
            found[each.owner] = BudgetRule(each.owner, amount, per, overdraft)
        return found

    @property
    def store(self) -> Path:
        """The ledger's file."""
        return self.path(self.settings.store.path)

    @property
    def journal(self) -> Path:
        """The folder of the journals."""
        return self.path(self.settings.store.journal)


def load_config(file: Path) -> ServeConfig:
    """The configuration of a file.

    ContractError (codes C2xx for wrong keys and values, G701 for what is no TOML, G702 for names and addresses that do
    not fit) holds every problem with its line; OutsideError G700 where the file cannot be read.
    """
    try:
        text = file.read_text("utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise OutsideError(
            "G700", f"cannot read {file}: {error.strerror}", hint="`offtake serve --example` prints a configuration"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContractError("G701", f"no TOML: {error}", where=Place(str(file))) from error
    places = _places(text, str(file))
    settings, findings = validate(Settings, data, places, str(file))
    if settings is not None:
        findings = list(_misfits(settings, places, str(file)))
    if settings is None or findings:
        raise ContractError.of(findings)
    return ServeConfig(file, settings)


def _misfits(settings: Settings, places: Mapping[str, Place], file: str) -> list[Finding]:
    """What the shapes alone do not tell."""
    found = []

    def misfit(path: str, what: str, hint: str) -> None:
        found.append(Finding("G702", "error", what, where=place_of(path, places, file), path=path, hint=hint))

    if settings.telemetry and not _is_base(settings.telemetry.otlp):
        misfit("telemetry.otlp", f"no address: {settings.telemetry.otlp!r}", "such as http://127.0.0.1:4318")
    if settings.transcripts and not _has_one_source(settings.transcripts.key):
        misfit("transcripts.key", "a key has one source", 'key = {env = "OFFTAKE_TRANSCRIPTS_KEY"}')
    for name, vendor in settings.vendors.items():
        url = urlsplit(vendor.base_url)
        if not _is_base(vendor.base_url):
            misfit(
                f"vendors.{name}.base_url", f"no base address: {vendor.base_url!r}", "such as https://api.openai.com/v1"
            )
        if vendor.wire == "bedrock" and not vendor.signed_region:
            misfit(f"vendors.{name}.base_url", "no region to sign for", 'aws_region = "us-east-1"')
        if vendor.wire == "vertex" and not re.search("/projects/[^/]+/locations/[^/]+/?$", url.path):
            misfit(f"vendors.{name}.base_url", "no project and location", "…/v1/projects/PROJECT/locations/us-east5")
        if vendor.key and not _has_one_source(vendor.key):
            misfit(f"vendors.{name}.key", "a key has one source", 'key = {env = "OPENAI_API_KEY"}')
    for index, budget in enumerate(settings.budgets):
        kind, _, name = budget.owner.partition(":")
        if kind not in OWNERS[1:] or not name:
            misfit(f"budgets[{index}].owner", f"no owner of budgets: {budget.owner!r}", "such as team:search")
        for path, amount in (("amount", budget.amount), ("overdraft", budget.overdraft)):
            try:
                budget_amount(amount or "0 USD")
            except InputError as error:
                misfit(f"budgets[{index}].{path}", error.findings[0].what, error.findings[0].hint)
    for index, contract in enumerate(settings.contracts):
        if contract.vendor is not None and contract.vendor not in settings.vendors:
            known = ", ".join(settings.vendors)
            misfit(f"contracts[{index}].vendor", f"no [vendors.{contract.vendor}] in this file", f"one of: {known}")
    return found


def _has_one_source(key: KeySource) -> bool:
    return sum(each is not None for each in (key.env, key.file, key.keyring)) == 1


def _is_base(address: str) -> bool:
    url = urlsplit(address)
    return url.scheme in ("http", "https") and bool(url.hostname) and not url.query and not url.fragment


def _places(text: str, file: str) -> dict[str, Place]:
    """Where each table and key stands. TOML's reader tells no lines; its lines are plain enough to be found again."""
    places: dict[str, Place] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TABLE.match(line):
            table = found[2].replace('"', "")
            places.setdefault(table, Place(file, number, 1))
            if found[1] == "[[":
                index = counts[table] = counts.get(table, -1) + 1
                table = f"{table}[{index}]"
            places.setdefault(table, Place(file, number, 1))
        elif found := _KEY.match(line):
            name = found[1].strip('"')
            places.setdefault(f"{table}.{name}" if table else name, Place(file, number, found.start(1) + 1))
    return places
