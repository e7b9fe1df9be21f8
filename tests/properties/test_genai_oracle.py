"""genai-prices as an oracle: our cells on the picodollar grid give what its `calc_price` gives, to the last digit.

Every (model, dated price, daily price, listed channel) of the package is priced at least three times, once at each
side of its context thresholds where it has some; 10,000 usages at least, and ten times as many in `make soak`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from random import Random

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider

from offtake.catalog.cells import build_cells
from offtake.catalog.genai import CONTEXTS, PriceBook, changes, price_keys
from offtake.catalog.list_price import PriceCell
from offtake.usage.meters import METERS
from offtake.usage.record import CHANNELS
from offtake.values.errors import CatalogError
from offtake.values.money import EXACT, from_pico, to_pico

# Prices that are float artefacts in the package: not on the grid of 1e-12 dollars a token.
OFF_GRID = {
    ("huggingface_together", "Qwen/Qwen3-VL-8B-Instruct"),
    ("huggingface_together", "deepseek-ai/DeepSeek-V4-Flash-0731"),
    ("huggingface_together", "meta-llama/Llama-3.3-70B-Instruct"),
    ("openrouter", "google/gemini-2.5-flash"),
    ("openrouter", "google/gemini-2.5-flash-image"),
    ("openrouter", "google/gemini-2.5-flash-lite"),
    ("openrouter", "google/gemini-2.5-flash-lite:batch"),
    ("openrouter", "google/gemini-2.5-flash:batch"),
    ("openrouter", "google/gemini-3-flash-preview"),
    ("openrouter", "google/gemini-3-flash-preview:batch"),
    ("openrouter", "google/gemini-3.1-flash-lite"),
    ("openrouter", "google/gemini-3.1-flash-lite:batch"),
    ("openrouter", "google/gemini-3.5-flash"),
    ("openrouter", "google/gemini-3.5-flash-lite"),
    ("openrouter", "google/gemini-3.5-flash-lite:batch"),
    ("openrouter", "google/gemini-3.5-flash:batch"),
    ("openrouter", "google/gemini-3.6-flash"),
    ("openrouter", "google/gemini-3.6-flash:batch"),
    ("openrouter", "google/gemini-3.7-flash"),
    ("openrouter", "google/gemini-3.7-flash:batch"),
    ("openrouter", "google/gemini-3.8-flash"),
    ("openrouter", "google/gemini-3.8-flash:batch"),
    ("openrouter", "~google/gemini-flash-latest"),
}

# Priced, wholly, by something else than tokens, searches and requests: hours, pages, characters, messages.
NOT_TOKEN_PRICED = {
    ("groq", "canopylabs/orpheus-arabic-saudi"),
    ("groq", "canopylabs/orpheus-v1-english"),
    ("groq", "whisper-large-v3"),
    ("groq", "whisper-large-v3-turbo"),
    ("mistral", "mistral-ocr-2503"),
    ("mistral", "mistral-ocr-2505"),
    ("mistral", "mistral-ocr-2512"),
    ("mistral", "mistral-ocr-4-0"),
    ("mistral", "mistral-ocr-4-1"),
    ("mistral", "mistral-ocr-latest"),
    ("mistral", "voxtral-mini-2602"),
    ("mistral", "voxtral-mini-transcribe-3-0"),
    ("mistral", "voxtral-mini-transcribe-realtime-2602"),
    ("mistral", "voxtral-mini-transcribe-realtime-3-0"),
    ("mistral", "voxtral-small-transcribe-3-0"),
    ("openai", "gpt-live-1"),
    ("openai", "gpt-live-transcribe"),
    ("openai", "gpt-realtime-translate"),
    ("openai", "gpt-realtime-whisper"),
    ("openai", "gpt-transcribe"),
    ("openai", "tts-1"),
    ("openai", "tts-1-hd"),
    ("openai", "whisper-1"),
    ("x-ai", "grok-voice-latest"),
    ("x-ai", "grok-voice-think-fast-1.0"),
    ("x-ai", "grok-voice-think-fast-2.0"),
}

ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)


@cache
def priced() -> list[tuple[Provider, ModelInfo, str, PriceCell]]:
    """Every cell of every model and channel of the package."""
    return [
        (provider, model, channel, cell)
        for provider in get_snapshot().providers
        for model in provider.models
        for channel in CHANNELS
        for cell in cells_of(model, channel)
    ]


def cells_of(model: ModelInfo, channel: str) -> tuple[PriceCell, ...]:
    def listed_at(at: datetime) -> tuple[dict[str, object], str] | None:
        keys = price_keys(model, at, channel)
        return None if keys is None else (dict(keys), "package")

    return build_cells(*changes(model), listed_at)  # type: ignore[arg-type]


def instants(cell: PriceCell) -> Iterator[datetime]:
    """The first and the last microsecond of a cell's days, and one between."""
    first = cell.start or (cell.end - timedelta(days=400) if cell.end else ALWAYS)
    last = (cell.end or first + timedelta(days=400)) - timedelta(days=1)
    opening, closing = cell.daily or (time(), time())
    yield datetime.combine(first, opening, UTC)
    just_before = datetime.combine(last, closing, UTC) - timedelta(microseconds=1)
    yield just_before if closing != time() else just_before + timedelta(days=1)
    middle = datetime.combine(first + (last - first) / 2, opening, UTC)
    yield middle + timedelta(minutes=1)


def draw(random: Random, context: int | None) -> dict[str, int]:
    """Counts by our meters; all input together is `context` where given."""
    counts = {meter.name: random.choice((0, random.randrange(10**3), random.randrange(10**7))) for meter in METERS}
    counts["reasoning_tokens"] = random.randrange(counts["output_tokens"] + 1)
    counts["requests"] = 1
    if context is not None:
        inputs = [meter.name for meter in METERS if meter.direction == "input" and meter.is_token]
        counts |= dict.fromkeys(inputs, 0)
        part = random.randrange(context + 1)
        counts |= {"input_tokens": part, "cache_read_tokens": context - part}
    return counts


def context_of(counts: dict[str, int]) -> int:
    return sum(counts[meter.name] for meter in METERS if meter.direction == "input" and meter.is_token)


def as_usage(counts: dict[str, int]) -> Usage:
    """The package counts totals where we count disjoint parts."""
    audio_in = counts["input_audio_tokens"] + counts["cache_read_audio_tokens"]
    return Usage(
        input_tokens=context_of(counts),
        cache_read_tokens=counts["cache_read_tokens"] + counts["cache_read_audio_tokens"],
        cache_audio_read_tokens=counts["cache_read_audio_tokens"],
        cache_write_tokens=counts["cache_write_5m_tokens"] + counts["cache_write_1h_tokens"],
        cache_write_5m_tokens=counts["cache_write_5m_tokens"],
        cache_write_1h_tokens=counts["cache_write_1h_tokens"],
        input_audio_tokens=audio_in,
        input_image_tokens=counts["input_image_tokens"],
        cache_image_read_tokens=0,
        output_tokens=counts["output_tokens"] + counts["output_audio_tokens"] + counts["output_image_tokens"],
        output_reasoning_tokens=counts["reasoning_tokens"],
        output_audio_tokens=counts["output_audio_tokens"],
        output_image_tokens=counts["output_image_tokens"],
        web_searches=counts["web_searches"],
        storage_searches=counts["storage_searches"],
    )


def price_of(cell: PriceCell, counts: dict[str, int]) -> Decimal:
    """Dollars for these counts: whole picodollars a piece."""
    pieces = dict(counts)
    if "reasoning_tokens" in cell.prices:
        pieces["output_tokens"] -= pieces["reasoning_tokens"]
    context = context_of(counts)
    return from_pico(
        sum(to_pico(price.at(context)) * pieces[meter] for meter, price in cell.prices.items() if pieces[meter])
    )


def thresholds(cell: PriceCell) -> list[int]:
    return sorted({start for price in cell.prices.values() for start, _ in price.above})


def usages(random: Random, cell: PriceCell, times: int) -> Iterator[dict[str, int]]:
    for start in thresholds(cell):
        yield draw(random, start)
        yield draw(random, start + 1)
    for _ in range(times):
        yield draw(random, None)


@pytest.mark.parametrize("times", [4, pytest.param(40, marks=pytest.mark.soak)])
def test_every_listed_price_agrees_with_the_package(times: int) -> None:
    random = Random(20260101)
    total, differing = 0, []
    for provider, model, channel, cell in priced():
        if not cell.prices or (provider.id, model.id) in OFF_GRID:
            continue
        moments = list(instants(cell))
        for index, counts in enumerate(usages(random, cell, times)):
            at = moments[index % len(moments)]
            assert cell.holds(at)
            total += 1
            if price_of(cell, counts) != listed_total(provider, model, channel, at, counts):
                differing.append((provider.id, model.id, channel, at))
    assert sorted(set(differing), key=str) == []
    assert total >= 10_000


def listed_total(provider: Provider, model: ModelInfo, channel: str, at: datetime, counts: dict[str, int]) -> Decimal:
    """What the package says, over the context of the channel that the model lists."""
    listed = [each for each in CONTEXTS.get(channel, ()) if any(v.when == each for v in model.price_variants or ())]
    return model.calc_price(
        as_usage(counts), provider, genai_request_timestamp=at, price_context=listed[0] if listed else None
    ).total_price


def test_every_dated_price_and_variant_of_the_package_is_in_a_cell() -> None:
    """No start date or variant of the package is lost when equal neighbours join."""
    for provider in get_snapshot().providers:
        for model in provider.models:
            dates, _ = changes(model)
            for at in (datetime.combine(day, time(13, 7), UTC) for day in dates):
                for channel in CHANNELS:
                    keys = price_keys(model, at, channel)
                    holding = [cell for cell in cells_of(model, channel) if cell.holds(at)]
                    assert len(holding) == (0 if keys is None else 1), (provider.id, model.id, channel, at)


def test_prices_off_the_grid_are_the_listed_ones() -> None:
    found = {
        (provider.id, model.id)
        for provider, model, _, cell in priced()
        for price in cell.prices.values()
        for each in (price.base, *(higher for _, higher in price.above))
        if from_pico(to_pico(each)) != each
    }
    assert found == OFF_GRID


def test_prices_off_the_grid_differ_by_no_more_than_the_grid() -> None:
    random = Random(7)
    for provider, model, channel, cell in priced():
        if (provider.id, model.id) in OFF_GRID:
            counts = draw(random, None)
            at = next(instants(cell))
            difference = abs(price_of(cell, counts) - listed_total(provider, model, channel, at, counts))
            assert difference <= EXACT.multiply(Decimal("0.5e-12"), Decimal(sum(counts.values())))


def test_models_priced_by_other_units_are_the_listed_ones() -> None:
    found = {
        (provider.id, model.id)
        for provider, model, channel, cell in priced()
        if channel == "realtime" and not cell.prices and price_keys(model, next(instants(cell)), channel)
    }
    assert found == NOT_TOKEN_PRICED


@pytest.mark.parametrize("name", ["claude-opus-4-7-nonsense", "gpt-5.4-does-not-exist", "gemini-2.5-prototype"])
def test_the_package_would_guess_where_we_refuse(name: str) -> None:
    from offtake.store.catalogs import open_catalog

    with pytest.raises(CatalogError):
        open_catalog().resolve(name)


def test_each_name_that_we_accept_is_the_same_model_to_the_package() -> None:
    """Our stricter names never choose another model than the package's own wide match."""
    book = PriceBook()
    differing = []
    for provider in ("anthropic", "openai", "google", "x-ai", "mistral", "deepseek"):
        owner = next(each for each in get_snapshot().providers if each.id == provider)
        for model in owner.models:
            ours = book.find(provider, model.id)
            theirs = owner.find_model(model.id)
            assert ours is model
            if theirs is not None and theirs is not model:
                differing.append((provider, model.id, theirs.id))
    assert sorted(set(differing), key=str) == []
