"""What planning needs to know of usage before it is grouped: its span, the models and their forms, workloads, tags."""

from __future__ import annotations

from dataclasses import dataclass

from offtake.store.engine import Engine
from offtake.store.microseconds import to_instant
from offtake.store.usage_files import VIEW, Card, UsageFiles
from offtake.values.periods import Interval

FORM = ("vendor", "model", "channel", "access", "region")


@dataclass(frozen=True, slots=True, order=True)
class ModelUse:
    """A model in one form of use, as the usage names it."""

    vendor: str
    model: str
    channel: str
    access: str
    region: str


@dataclass(frozen=True, slots=True)
class Survey:
    """`span` holds every instant of use, and is None where there are no rows; the values are distinct and sorted.

    `meters` are those with a value above zero, in schema order; `grains` say how fine the rows are.
    """

    rows: int
    span: Interval | None
    models: tuple[ModelUse, ...]
    workloads: tuple[str, ...]
    tags: tuple[str, ...]
    grains: tuple[str, ...]
    meters: tuple[str, ...]


def survey_usage(run: Engine, files: UsageFiles) -> Survey:
    """From the files' cards and footers; a file without a card is scanned."""
    cards = files.cards or (draw_card(run, VIEW, files.rows, {}),)
    span = None
    if files.chunks:
        first, last = min(chunk.first for chunk in files.chunks), max(chunk.last for chunk in files.chunks)
        span = Interval(to_instant(first), to_instant(last + 1))
    return Survey(
        rows=files.rows,
        span=span,
        models=tuple(sorted({ModelUse(*form) for card in cards for form in card.models})),
        workloads=tuple(sorted({workload for card in cards for workload in card.workloads})),
        tags=tuple(sorted({tag for card in cards for tag in card.tags})),
        grains=tuple(sorted({grain for card in cards for grain in card.grains})),
        meters=files.meters,
    )


def draw_card(run: Engine, relation: str, rows: int, quantities: dict[str, int], unique: bool = False) -> Card:
    """A card of a relation, by one scan of its dimensions."""
    form = ", ".join(FORM)
    found = run.rows(f"SELECT DISTINCT {form}, workload, grain FROM {relation} ORDER BY ALL")
    names = f"SELECT DISTINCT map_keys(tags) AS names FROM {relation}"
    tags = run.rows(f"SELECT DISTINCT unnest(names) AS name FROM ({names}) ORDER BY name")
    return Card(
        rows=rows,
        quantities=quantities,
        unique=unique,
        models=tuple(dict.fromkeys(row[: len(FORM)] for row in found)),
        workloads=tuple(sorted({row[-2] for row in found})),
        grains=tuple(sorted({row[-1] for row in found})),
        tags=tuple(name for (name,) in tags),
    )
