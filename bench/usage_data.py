"""Synthetic usage in Parquet: a month of requests that DuckDB makes from a fixed seed, cached outside the repository.

Twenty models of three vendors with a long tail, prompts of log-uniform length, caching, a few contexts beyond 200,000
tokens, 1.5% batch, 3% failed requests, thirty workloads. In time order, as `offtake import` writes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from offtake.store.engine import Engine, Limits, engine, text
from offtake.store.files import replacing_path
from offtake.store.survey import draw_card
from offtake.store.usage_files import CARD_KEY, METER_NAMES
from offtake.usage.schema import NAMES

DEFAULT_FOLDER = Path(tempfile.gettempdir()) / "offtake-bench"
SEED = 20260301
MODELS = (
    ("anthropic", "claude-sonnet-4-5"), ("anthropic", "claude-opus-4-6"), ("openai", "gpt-5.1"),
    ("anthropic", "claude-haiku-4-5"), ("google", "gemini-2.5-pro"), ("openai", "gpt-5-mini"),
    ("anthropic", "claude-opus-4-5"), ("google", "gemini-2.5-flash"), ("openai", "gpt-5.2"),
    ("openai", "gpt-5"), ("anthropic", "claude-opus-4-1"), ("openai", "gpt-5-nano"), ("openai", "gpt-4.1"),
    ("openai", "gpt-4.1-mini"), ("openai", "gpt-4o"), ("google", "gemini-2.5-flash-lite"), ("openai", "o3"),
    ("openai", "o4-mini"), ("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-0"),
)  # fmt: skip
BARE_METERS = (
    "input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
)  # fmt: skip


def usage_file(rows: int, folder: Path = DEFAULT_FOLDER) -> Path:
    """The file with so many rows, made where it is not there yet."""
    path = folder / f"usage-{rows}-{SEED}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with engine(Limits(memory_mb=1_500)) as run:
            _write(run, rows, path)
    return path


def _write(run: Engine, rows: int, path: Path) -> None:
    run.run(f"CREATE VIEW made AS {_rows_sql(rows)}")
    sums = ", ".join(f"sum({meter})" for meter in METER_NAMES)
    totals = run.rows(f"SELECT {sums} FROM made")[0]
    quantities = {meter: int(total) for meter, total in zip(METER_NAMES, totals, strict=True) if total}
    card = draw_card(run, "made", rows, quantities, unique=True)
    with replacing_path(path) as beside:
        run.run(
            f"COPY (SELECT {', '.join(NAMES)} FROM made) TO {text(beside)} "
            f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{CARD_KEY}: {text(card.dumps())}}})"
        )


def _rows_sql(rows: int) -> str:
    """One SELECT of all rows. Each d1, d2, … is an independent draw from the row's number."""
    draws = ", ".join(f"(hash(i, {SEED + n}) >> 1)::BIGINT AS d{n}" for n in range(1, 9))
    vendors, models = (", ".join(f"'{pair[side]}'" for pair in MODELS) for side in (0, 1))
    anthropic = "vendor = 'anthropic'"
    meters = {
        "input_tokens": "CASE WHEN d1 % 500 = 0 THEN 205000 + d2 % 60000 ELSE exp(4 + (d1 % 1000) / 160.0)::BIGINT END",
        "cache_read_tokens": "CASE WHEN d3 % 3 = 0 THEN exp(6 + (d3 % 1000) / 180.0)::BIGINT ELSE 0 END",
        "cache_write_5m_tokens": f"CASE WHEN {anthropic} AND d3 % 7 = 0 THEN 1024 + d1 % 5000 ELSE 0 END",
        "cache_write_1h_tokens": f"CASE WHEN {anthropic} AND d3 % 50 = 1 THEN 2048 + d1 % 9000 ELSE 0 END",
        "output_tokens": "exp(3 + (d4 % 1000) / 220.0)::BIGINT",
        "reasoning_tokens": "CASE WHEN d4 % 5 = 0 THEN output_tokens // 2 ELSE 0 END",
    }
    counted = ", ".join(f"{meters.get(name, '0')}::BIGINT AS {name}" for name in METER_NAMES)
    return f"""
    SELECT printf('req_%016x%08x', hash(i, {SEED}), i) AS id,
        make_timestamptz(1772323200000000 + (i * (2678400000000 / {rows}))::BIGINT) AS used_at,
        'request' AS grain, 1::BIGINT AS count, vendor, '' AS account, model,
        CASE WHEN d5 % 1000 < 15 THEN 'batch' ELSE 'realtime' END AS channel, 'api' AS access, 'global' AS region,
        'workload-' || d6 % 30 AS workload, '' AS customer, 'key-' || d6 % 200 AS key_id,
        MAP {{'team': 'team-' || d6 % 12}} AS tags, {counted},
        input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens AS context_tokens,
        CASE WHEN d7 % 1000 < 970 THEN 'ok' WHEN d7 % 1000 < 980 THEN 'http_5xx' WHEN d7 % 1000 < 990 THEN 'timeout'
            ELSE 'client_cancel' END AS outcome,
        true AS usage_known, d8 % 9000 AS latency_ms, d8 % 900 AS first_token_ms, '' AS tier_requested,
        '' AS tier_served, '' AS vendor_request_id, (hash(i, {SEED - 1}) >> 1)::BIGINT AS body_hash
    FROM (SELECT *, ([{vendors}])[pick] AS vendor, ([{models}])[pick] AS model
        FROM (SELECT *, 1 + floor(20 * power(d1 % 10007 / 10007.0, 2))::BIGINT AS pick
            FROM (SELECT i, {draws} FROM range({rows}) AS numbers(i))))"""
