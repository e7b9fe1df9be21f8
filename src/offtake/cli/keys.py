"""`offtake keys`: who may call the gateway, what they may use, and how much they may spend."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.import_usage import Pair, Pairs
from offtake.cli.options import Decorated, format_option, store_options
from offtake.values.money import from_pico

if TYPE_CHECKING:
    from offtake.ledger.budgets import BudgetRule
    from offtake.ledger.gateway_key import GatewayKey
    from offtake.operations.gateway_keys import MadeKey
    from offtake.store.ledger.leases import BudgetState

_LISTS = ("models", "scopes", "models_denied", "other_models", "contracts", "regions")


@click.group("keys")
def command() -> None:
    """Make, list, rotate and revoke the keys that open the gateway.

    A key's secret is shown once, when it is made. Only a keyed digest of it is stored.
    """


def _limit(flag: str, what: str) -> Any:
    return click.option(flag, type=click.IntRange(min=1), metavar="N", help=what)


def _rules(function: Decorated) -> Decorated:
    """What the rules of a contract are asked for on behalf of a key, and how fast it may call."""
    options = (
        click.option("--deny-models", "models_denied", multiple=True, metavar="NAMES", help="Never these (patterns)."),
        click.option(
            "--other-models", multiple=True, metavar="NAMES",
            help="Models that may stand in for the one asked for, where a suite of the contract admits them.",
        ),
        click.option("--contracts", multiple=True, metavar="NAMES", help="Contracts it may use; all when absent."),
        click.option("--regions", multiple=True, metavar="NAMES", help="Served in these and nowhere else, such as eu."),
        click.option(
            "--retention-hours-max", type=click.IntRange(min=0), metavar="N",
            help="Only where the contract keeps inputs and outputs no longer; 0: not at all.",
        ),
        click.option(
            "--no-training", "training_refused", is_flag=True, help="Only where the contract rules training out."
        ),
        click.option(
            "--tool-calls-max", type=click.IntRange(min=1), metavar="N",
            help="Let a vendor call its own tools so often a request, where the client sets no lower limit.",
        ),
        _limit("--requests-per-minute", "Requests in any minute."),
        _limit("--concurrency", "Requests in flight at once."),
        _limit("--input-tpm", "Input tokens in any minute."),
        _limit("--output-tpm", "Output tokens in any minute."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@command.command("create")
@click.option("--name", required=True, metavar="NAME", help="Who it is for; one living key has the name.")
@click.option(
    "--budget", "budgets", multiple=True, metavar="AMOUNT", help="1USD/month, 500USD/day, 20USD; may be repeated."
)
@click.option(
    "--models", multiple=True, metavar="NAMES", help="Models it may use, as patterns with commas; all when absent."
)
@click.option(
    "--scopes", multiple=True, metavar="NAMES", help="inference, batch, files, admin (default: the first three)."
)
@click.option("--workload", default="", metavar="NAME", help="The workload that its requests belong to.")
@click.option("--customer", default="", metavar="NAME", help="The customer that its requests belong to.")
@click.option("--team", default="", metavar="NAME", help="The team that its requests belong to.")
@click.option("--tag", "tags", type=Pair(), multiple=True, metavar="NAME=VALUE", help="A tag for each of its requests.")
@click.option("--clamp", is_flag=True, help="Lower max_tokens to what the budget holds, instead of refusing.")
@click.option(
    "--overdraft", default="", metavar="AMOUNT", help="How far budgets may be overdrawn (5USD); hard when absent."
)
@click.option("--expires", default="", metavar="WHEN", help="A date, an instant, or a duration such as '90 days'.")
@_rules
@store_options
@format_option("table", "json")
def create(tags: Pairs, output_format: str, config: Path | None, store: Path | None, **wanted: Any) -> None:
    """Make a key, and show its secret this once.

    Budgets are hard: a request that may cost more than what is left is refused before it is sent, unless --clamp or
    --overdraft says otherwise. Periods are the calendar's, in UTC. Each worker has a part of a rate.
    """
    from offtake.ledger.gateway_key import RATES
    from offtake.operations.gateway_keys import Wanted, make_key

    rates = {name: value for name in RATES if (value := wanted.pop(name)) is not None}
    wanted |= {name: _names(wanted[name]) for name in _LISTS}
    asked = Wanted(tags=dict(tags), rates=rates, **wanted)
    made = make_key(asked, datetime.now(UTC), config=config, store=store)
    _show_secret(made, output_format)


@command.command("list")
@store_options
@format_option("table", "json")
def list_all(output_format: str, config: Path | None, store: Path | None) -> None:
    """Show all keys, with what they have spent of their budgets."""
    from offtake.operations.gateway_keys import list_keys

    found = list_keys(config=config, store=store)
    if output_format == "json":
        documents = [{**_document(key), "periods": [_period(state) for state in states]} for key, states in found]
        render.write(render.json_text({"keys": documents}))
        return
    if not found:
        render.note("no key yet: `offtake keys create --name NAME` makes one")
        return
    now = datetime.now(UTC)
    rows = [
        (
            key.id, key.name, _state(key, now), ", ".join(key.models) or "all",
            ", ".join(map(_shown, key.budgets)) or "none",
            ", ".join(f"{state.name.partition('/')[2]}: {_usd(state.spent_pico)}" for state in states),
        )
        for key, states in found
    ]  # fmt: skip
    render.table(("id", "name", "state", "models", "budgets", "spent"), rows)


@command.command("top-up")
@click.argument("key")
@click.argument("amount")
@click.option("--name", default="", metavar="NAME", help="The name of the credit; each has its own.")
@click.option("--expires", default="", metavar="WHEN", help="When what is left of it is gone; never when absent.")
@click.option("--priority", type=click.IntRange(0, 100), default=0, metavar="N", help="0 is drawn first.")
@click.option(
    "--rank", type=click.IntRange(0, 100), default=0, metavar="N", help="Within one priority: 0 is drawn first."
)
@store_options
@format_option("table", "json")
def credit(key: str, output_format: str, config: Path | None, store: Path | None, **asked: Any) -> None:
    """Add AMOUNT (such as 50USD) to the budget of KEY, as a credit of its own.

    It belongs to the budget's present period. Credits are drawn before the budget's own amount: by priority, rank,
    expiry and age. What is left of one at its end is gone, but for what a request holds.
    """
    from offtake.operations.gateway_keys import TopUp, add_credit

    lot = add_credit(key, TopUp(**asked), datetime.now(UTC), config=config, store=store)
    if output_format == "json":
        row = {"name": lot.name, "account": lot.budget, "amount": _usd(lot.granted_pico), "priority": lot.priority}
        render.write(render.json_text({**row, "rank": lot.rank, "expires_at": _instant(lot.expires_at)}))
    else:
        render.note(f"{lot.budget} has {_usd(lot.granted_pico)} USD more: {lot.name}")


@command.command("rotate")
@click.argument("key")
@click.option(
    "--overlap",
    default="24 hours",
    show_default=True,
    metavar="DURATION",
    help="How long the old secret is still good.",
)
@store_options
@format_option("table", "json")
def rotate(key: str, overlap: str, output_format: str, config: Path | None, store: Path | None) -> None:
    """Give KEY (its id or name) a new secret, shown this once; the old one stops after the overlap.

    The key, its budgets and what it has spent stay as they are. An overlap of 0 stops the old secret at once.
    """
    from offtake.operations.gateway_keys import rotate as rotate_one

    _show_secret(rotate_one(key, overlap, datetime.now(UTC), config=config, store=store), output_format)


@command.command("revoke")
@click.argument("key")
@store_options
@format_option("table", "json")
def revoke(key: str, output_format: str, config: Path | None, store: Path | None) -> None:
    """Close KEY (its id or name) for good: no secret of it opens the gateway any more."""
    from offtake.operations.gateway_keys import revoke as revoke_one

    revoked = revoke_one(key, datetime.now(UTC), config=config, store=store)
    if output_format == "json":
        render.write(render.json_text(_document(revoked)))
    else:
        render.note(f"revoked {revoked.id} ({revoked.name})")


def _names(values: tuple[str, ...]) -> list[str]:
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _show_secret(made: MadeKey, output_format: str) -> None:
    if output_format == "json":
        render.write(render.json_text({"key": made.secret, **_document(made.key)}))
        return
    render.write(made.secret + "\n")
    render.note(f"{made.key.id} ({made.key.name}); the secret above is shown this once")


def _document(key: GatewayKey) -> dict[str, object]:
    instant = _instant
    return {
        "id": key.id, "name": key.name, "created_at": instant(key.created_at), "expires_at": instant(key.expires_at),
        "revoked_at": instant(key.revoked_at), "scopes": key.scopes, "models": key.models, "workload": key.workload,
        "customer": key.customer, "team": key.team, "tags": key.tags, "clamp": key.clamp,
        "budgets": [
            {"amount": _usd(rule.amount_pico), "per": rule.per, "overdraft": _usd(rule.overdraft_pico)}
            for rule in key.budgets
        ],
        "models_denied": key.models_denied, "other_models": key.other_models, "contracts": key.contracts,
        "regions": key.regions, "retention_hours_max": key.retention_hours_max, "tool_calls_max": key.tool_calls_max,
        "training_refused": key.training_refused, "rates": key.rates,
    }  # fmt: skip


def _period(state: BudgetState) -> dict[str, object]:
    amounts = {
        "amount": state.amount_pico, "available": state.available_pico, "leased": state.leased_pico,
        "held": state.held_pico, "spent": state.spent_pico,
    }  # fmt: skip
    return {"account": state.name, **{name: _usd(pico) for name, pico in amounts.items()}}


def _state(key: GatewayKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    expires = _instant(key.expires_at)
    if expires is None:
        return "good"
    return f"until {expires:%Y-%m-%d}" if now < expires else "expired"


def _shown(rule: BudgetRule) -> str:
    return f"{_usd(rule.amount_pico)} USD{f' a {rule.per}' if rule.per else ''}"


def _instant(microseconds: int | None) -> datetime | None:
    from offtake.store.ledger.history import instant

    return None if microseconds is None else instant(microseconds)


def _usd(pico: int) -> str:
    """Dollars with all of their digits, and no more."""
    return f"{from_pico(pico).normalize():f}"
