"""Each reader on a file in the documented shape: meters, channel, grain, outcome; and its bad row, with its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from offtake.usage.reading import ReadOptions, TextSource, read
from offtake.usage.record import UsageRecord
from offtake.usage.rows import NotUsage, Rejected
from offtake.values.errors import InputError, Place
from tests.unit.usage.reading_fixtures import MARCH, reading, reading_text, records, rejected


def facts(record: UsageRecord, *names: str) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in names)


def test_openai_usage_makes_cached_written_audio_and_image_tokens_disjoint() -> None:
    rows = reading("openai-usage", "openai_usage.json")
    grouped, batch = records(rows)

    assert {
        "input_tokens": 500,
        "input_audio_tokens": 40,
        "input_image_tokens": 10,
        "cache_read_tokens": 280,
        "cache_read_audio_tokens": 20,
        "cache_write_5m_tokens": 100,
        "cache_write_1h_tokens": 50,
        "output_tokens": 475,
        "output_audio_tokens": 25,
    } == grouped.quantities
    assert (MARCH, "day", 5, "openai", "proj_a", "key_1", "flex", None) == facts(
        grouped, "used_at", "grain", "count", "vendor", "account", "key_id", "channel", "outcome"
    )
    assert ("batch", {"input_tokens": 200, "output_tokens": 100}) == facts(batch, "channel", "quantities")
    assert [("openai_usage.json:38", "U106")] == [row[:2] for row in rejected(rows)]


def test_openai_usage_names_the_grouping_that_is_missing() -> None:
    page = '{"data":[{"start_time":1772323200,"end_time":1772326800,"results":[{"input_tokens":1,"model":null}]}]}'

    ((where, code, error),) = rejected(reading_text("openai-usage", page))

    assert ("u:1", "U103") == (where, code)
    assert "group_by=model" in error
    with_model = records(reading_text("openai-usage", page, ReadOptions(model="gpt-5.4")))
    assert [("gpt-5.4", "hour")] == [facts(record, "model", "grain") for record in with_model]


def test_the_same_bucket_with_other_counts_keeps_its_id() -> None:
    page = (
        '{{"data":[{{"start_time":1772323200,"end_time":1772409600,"results":[{{"input_tokens":{},"model":"m"}}]}}]}}'
    )
    (early,), (late,) = (records(reading_text("openai-usage", page.format(count))) for count in (5, 9))

    assert early.id == late.id
    assert early != late


def test_anthropic_usage_keeps_bands_tiers_and_geography() -> None:
    rows = reading("anthropic-usage", "anthropic_usage.json")
    standard, batch = records(rows)

    assert {
        "input_tokens": 1500,
        "cache_read_tokens": 200,
        "cache_write_5m_tokens": 500,
        "cache_write_1h_tokens": 1000,
        "output_tokens": 500,
        "web_searches": 10,
    } == standard.quantities
    assert ("hour", 0, "realtime", "us", 200_000, None) == facts(
        standard, "grain", "count", "channel", "region", "context_tokens", "outcome"
    )
    assert ("batch", "global", 1_000_000) == facts(batch, "channel", "region", "context_tokens")
    assert [("anthropic_usage.json:11", "U105", "input_tokens is negative: -4")] == rejected(rows)


def test_anthropic_console_usage_is_by_day_with_names_for_keys() -> None:
    rows = reading("anthropic-console", "anthropic_console.csv")
    day, night = records(rows)

    assert {
        "input_tokens": 1200,
        "cache_read_tokens": 5000,
        "cache_write_5m_tokens": 300,
        "cache_write_1h_tokens": 40,
        "output_tokens": 600,
        "web_searches": 3,
    } == day.quantities
    assert (MARCH, "day", "Support bot", "us", 200_000) == facts(
        day, "used_at", "grain", "key_id", "region", "context_tokens"
    )
    assert ("Default, EU", "batch", 1_000_000) == facts(night, "account", "channel", "context_tokens")
    assert ("anthropic_console.csv:4", "U105") == rejected(rows)[0][:2]


def test_litellm_reads_what_was_cached_from_the_metadata() -> None:
    rows = reading("litellm", "litellm.jsonl")
    success, older, failure, local_hit = records(rows)

    assert {
        "input_tokens": 250,
        "cache_read_tokens": 700,
        "cache_write_5m_tokens": 200,
        "cache_write_1h_tokens": 100,
        "output_tokens": 100,
        "reasoning_tokens": 30,
        "web_searches": 2,
    } == success.quantities
    assert ("claude-opus-4-7", "anthropic", "88dc28d0", "shop-7", 1250, 2500, 500) == facts(
        success, "model", "vendor", "key_id", "customer", "context_tokens", "latency_ms", "first_token_ms"
    )
    assert {"team": "search", "user": "ada", "request_tags": "prod,chat"} == success.tags
    # A prompt of 31 cannot hold 1,253 written tokens: the row is of the form that left them out.
    assert {"input_tokens": 31, "cache_write_5m_tokens": 1253, "output_tokens": 467} == older.quantities
    assert ("", "bedrock") == facts(older, "vendor", "access")
    assert ("http_5xx", False, {}) == facts(failure, "outcome", "usage_known", "quantities")
    assert "not_dispatched" == local_hit.outcome


def test_litellm_rejects_without_keeping_content() -> None:
    (bad,) = [row for row in reading("litellm", "litellm.jsonl") if isinstance(row, Rejected)]

    assert ("litellm.jsonl:5", "U105") == (str(bad.where), bad.code)
    assert "req-5" in bad.raw
    assert "words" not in bad.raw


def test_litellm_in_three_dresses_is_one_fact() -> None:
    (line,) = records(reading("litellm", "litellm.csv"))
    row = (
        '{"request_id":"req-1","call_type":"acompletion","startTime":"2026-03-01T10:00:00.250Z",'
        '"endTime":"2026-03-01T10:00:02.750Z","model":"gpt-5.4","custom_llm_provider":"openai","prompt_tokens":1250,'
        '"completion_tokens":100,"metadata":{"usage_object":{"prompt_tokens_details":{"cached_tokens":700}}},'
        '"request_tags":["prod"],"cache_hit":"False","status":"success"}'
    )

    assert [line] == records(reading_text("litellm", row))
    assert [line] == records(reading_text("litellm", f"[\n{row}\n]"))
    assert [line] == records(reading_text("litellm", f'{{"data": [{row}], "total": 1}}'))


def test_openrouter_by_generation() -> None:
    rows = reading("openrouter", "openrouter.csv")
    paid, free = records(rows)

    assert {
        "input_tokens": 6389,
        "cache_read_tokens": 4000,
        "output_tokens": 137,
        "reasoning_tokens": 20,
    } == paid.quantities
    assert ("gen-1", "openrouter", "anthropic/claude-opus-4.7", 10389, 2300, 410, "ok") == facts(
        paid, "id", "vendor", "model", "context_tokens", "latency_ms", "first_token_ms", "outcome"
    )
    assert {"provider": "Anthropic", "app": "Editor", "user": "u1"} == paid.tags
    assert ("openai/gpt-oss-120b:free", "client_cancel") == facts(free, "model", "outcome")
    assert ("openrouter.csv:4", "U101") == rejected(rows)[0][:2]


def test_openrouter_by_day() -> None:
    (day,) = records(reading("openrouter", "openrouter_daily.csv"))

    assert (MARCH, "day", 41, None, "anthropic/claude-opus-4.7") == facts(
        day, "used_at", "grain", "count", "outcome", "model"
    )
    assert {"input_tokens": 70965, "output_tokens": 1200, "reasoning_tokens": 300} == day.quantities


def test_ccusage_daily_gives_one_record_a_model_and_rejects_what_no_model_holds() -> None:
    rows = reading("ccusage", "ccusage_daily.json")
    opus, haiku, second_day = records(rows)

    assert ("claude-opus-4-7", MARCH, "day", 0, None) == facts(opus, "model", "used_at", "grain", "count", "outcome")
    assert {
        "input_tokens": 100,
        "cache_read_tokens": 20,
        "cache_write_5m_tokens": 30,
        "output_tokens": 90,
    } == opus.quantities
    assert {"input_tokens": 63, "output_tokens": 4} == haiku.quantities
    assert {"input_tokens": 40, "output_tokens": 8} == second_day.quantities
    assert [("ccusage_daily.json:13", "U103", "10 tokens of this entry stand under no model")] == rejected(rows)


def test_ccusage_session_stands_on_its_last_day_and_takes_the_retention_it_is_told() -> None:
    (session,) = records(reading("ccusage", "ccusage_session.json", ReadOptions(cache_write="1h")))

    assert (datetime(2026, 3, 15, tzinfo=UTC), {"session": "shop/4f2a"}) == facts(session, "used_at", "tags")
    assert 8 == session.quantities["cache_write_1h_tokens"]


def test_ccusage_monthly_is_refused() -> None:
    assert [("u:1", "U109", "no 'daily' or 'projects' or 'sessions' or 'session' in this object")] == rejected(
        reading_text("ccusage", '{"monthly": []}')
    )


def test_focus_rows_are_one_meter_each() -> None:
    rows = reading("focus", "focus.csv")

    assert [{"input_tokens": 2_500_000}, {"cache_read_tokens": 8_000_000}, {"output_tokens": 1_500_000}] == [
        record.quantities for record in records(rows)
    ]
    first = records(rows)[0]
    assert ("solora-ai", "solora-pro", "acct-1", "eu-1", "day", {"team": "search"}) == facts(
        first, "vendor", "model", "account", "region", "grain", "tags"
    )
    # Cache storage is no token; purchases and credits are no usage at all, and are counted apart.
    assert [("focus.csv:5", "U107")] == [row[:2] for row in rejected(rows)]
    assert [("focus.csv:6", "Purchase"), ("focus.csv:7", "Credit")] == [
        (str(row.where), row.what) for row in rows if isinstance(row, NotUsage)
    ]


def test_what_of_a_commitment_was_not_used_is_no_usage_and_an_unknown_category_is_rejected() -> None:
    header = "BilledCost,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,CommitmentDiscountStatus\n"
    period = "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z"
    rows = reading_text("focus", f"{header}9,Usage,{period},Unused\n9,Levy,{period},\n")

    assert [NotUsage(Place("u", 2), "Unused commitment")] == rows[:1]
    assert [("u:3", "U102")] == [row[:2] for row in rejected(rows)]


def test_focus_rows_of_a_columnar_file() -> None:
    values = {
        "ChargeCategory": "Usage",
        "ChargePeriodStart": datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=1))),
        "ChargePeriodEnd": datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        "ConsumedQuantity": "12.000",
        "ConsumedUnit": "Tokens",
        "SkuMeter": "Output Tokens",
        "SkuPriceDetails": '{"ModelId": "m"}',
    }

    (record,) = records(list(read("focus", TextSource("u.parquet", rows=[values]), ReadOptions())))

    assert (datetime(2026, 2, 28, 23, tzinfo=UTC), "hour", {"output_tokens": 12}) == facts(
        record, "used_at", "grain", "quantities"
    )


def test_raw_answers_of_four_wires() -> None:
    rows = reading("responses", "responses.jsonl")
    chat, response, message, gemini, batch, overloaded = records(rows)

    assert {
        "input_tokens": 550,
        "cache_read_tokens": 400,
        "input_audio_tokens": 50,
        "output_tokens": 290,
        "reasoning_tokens": 120,
        "output_audio_tokens": 10,
    } == chat.quantities
    assert ("chatcmpl-1", MARCH, "priority", "ok", 1000) == facts(
        chat, "id", "used_at", "channel", "outcome", "context_tokens"
    )
    assert {
        "input_tokens": 600,
        "cache_read_tokens": 100,
        "cache_write_5m_tokens": 150,
        "cache_write_1h_tokens": 50,
        "output_tokens": 80,
        "reasoning_tokens": 8,
        "web_searches": 1,
    } == response.quantities
    assert {
        "input_tokens": 10,
        "cache_read_tokens": 500,
        "cache_write_5m_tokens": 20,
        "cache_write_1h_tokens": 30,
        "output_tokens": 7,
        "web_searches": 1,
    } == message.quantities
    assert ("msg_1", "refusal", "us", "support", 1834, 560) == facts(
        message, "id", "outcome", "region", "workload", "latency_ms", "context_tokens"
    )
    assert {
        "input_tokens": 355,
        "cache_read_tokens": 560,
        "cache_read_audio_tokens": 40,
        "input_audio_tokens": 60,
        "output_tokens": 290,
        "reasoning_tokens": 90,
    } == gemini.quantities
    assert ("batch_req_1", "batch", "vendor_truncation", "req_9") == facts(
        batch, "id", "channel", "outcome", "vendor_request_id"
    )
    assert ("http_5xx", False, {}) == facts(overloaded, "outcome", "usage_known", "quantities")


def test_raw_answers_leave_no_word_behind() -> None:
    rows = reading("responses", "responses.jsonl")
    bad = [row for row in rows if isinstance(row, Rejected)]

    assert ["U105", "U108"] == [row.code for row in bad]
    assert "secret" not in repr(rows)
    assert "chatcmpl-3" in bad[0].raw


@pytest.mark.parametrize(
    ("stop_reason", "outcome"),
    [("max_tokens", "ok"), ("end_turn", "ok"), ("refusal", "refusal"), (None, "vendor_truncation")],
)
def test_a_limit_that_was_reached_is_ok_and_a_broken_answer_is_not(stop_reason: str | None, outcome: str) -> None:
    reason = "null" if stop_reason is None else f'"{stop_reason}"'
    body = f'{{"model":"m","stop_reason":{reason},"usage":{{"input_tokens":1,"output_tokens":2}}}}'

    assert [outcome] == [
        record.outcome for record in records(reading_text("responses", body, ReadOptions(start=MARCH)))
    ]


def test_an_unknown_stop_reason_is_not_guessed() -> None:
    body = '{"model":"m","stop_reason":"bored","usage":{"input_tokens":1,"output_tokens":2}}'

    assert ["U102"] == [row[1] for row in rejected(reading_text("responses", body, ReadOptions(start=MARCH)))]


def test_azure_trace_needs_a_model_and_keeps_equal_rows_apart() -> None:
    with pytest.raises(InputError, match="reading azure-trace needs --model"):
        reading("azure-trace", "azure_trace.csv", ReadOptions(vendor="openai"))
    rows = reading("azure-trace", "azure_trace.csv", ReadOptions(model="gpt-5.4", vendor="openai"))
    first, second, third = records(rows)

    assert (datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC), "request", 4808, "ok") == facts(
        first, "used_at", "grain", "context_tokens", "outcome"
    )
    assert {"input_tokens": 4808, "output_tokens": 10} == first.quantities
    assert second.quantities == third.quantities
    assert second.id != third.id
    assert [("azure_trace.csv:5", "U105", "ContextTokens is negative: -1")] == rejected(rows)


def test_mooncake_counts_milliseconds_from_the_start() -> None:
    rows = reading("mooncake", "mooncake.jsonl", ReadOptions(start=MARCH, model="m"))

    assert [(MARCH, 6758), (MARCH + timedelta(seconds=3), 7322)] == [
        facts(record, "used_at", "context_tokens") for record in records(rows)
    ]
    assert ("mooncake.jsonl:3", "U105") == rejected(rows)[0][:2]


def test_agent_sessions_assume_no_cache() -> None:
    rows = reading("agent-sessions", "agent_sessions.jsonl", ReadOptions(start=MARCH))
    _, second = records(rows)

    assert {"input_tokens": 72762, "output_tokens": 296} == second.quantities
    assert (MARCH + timedelta(seconds=19.5), {"session": "s1", "agent": "p"}) == facts(second, "used_at", "tags")
    assert [("agent_sessions.jsonl:3", "U107", "not an array of 8 values")] == rejected(rows)


def test_our_own_csv_says_what_is_wrong_with_each_row() -> None:
    rows = reading("csv", "own.csv")
    full, offset = records(rows)

    assert {"input_tokens": 100, "cache_read_tokens": 900, "output_tokens": 50} == full.quantities
    assert ("a1", "batch", "eu", "support", "refusal", 1200, 1000, {"team": "search", "user": "ada"}) == facts(
        full, "id", "channel", "region", "workload", "outcome", "latency_ms", "context_tokens", "tags"
    )
    assert (MARCH + timedelta(hours=12), "realtime", "global", "ok") == facts(
        offset, "used_at", "channel", "region", "outcome"
    )
    assert [
        ("own.csv:4", "U101", "used_at 2026-03-01T12:00:00 has no time zone"),
        ("own.csv:5", "U103", "the row names no model"),
        ("own.csv:6", "U105", "input_tokens is not a whole number: '1.5'"),
        ("own.csv:7", "U105", "input_tokens 1,000,000,000,000,000,000 is beyond 1,000,000,000,000,000"),
        ("own.csv:8", "U107", "the row has 3 fields, the header has 14"),
    ] == [(where, code, error.partition(" (")[0]) for where, code, error in rejected(rows)]


def test_a_time_without_a_zone_is_read_in_the_zone_that_is_given() -> None:
    rows = reading("csv", "own.csv", ReadOptions(time_zone=ZoneInfo("America/New_York")))

    assert MARCH + timedelta(hours=17) == next(record for record in records(rows) if record.id == "a3").used_at


def test_our_own_jsonl() -> None:
    rows = reading("jsonl", "own.jsonl")
    (bucket,) = records(rows)

    assert ("hour", 7, None, None, {"team": "search"}) == facts(
        bucket, "grain", "count", "outcome", "context_tokens", "tags"
    )
    assert {"input_tokens": 10, "output_tokens": 20, "reasoning_tokens": 5} == bucket.quantities
    assert [("own.jsonl:2", "U105"), ("own.jsonl:3", "U108"), ("own.jsonl:4", "U111")] == [
        r[:2] for r in rejected(rows)
    ]


def test_a_mapping_takes_any_columns_constants_and_differences() -> None:
    mapping = {
        "used_at": "when",
        "model": "llm",
        "vendor": "=anthropic",
        "input_tokens": "prompt - cached",
        "cache_read_tokens": "cached",
        "output_tokens": "completion",
        "tag:team": "squad",
    }
    text = (
        "when,llm,prompt,cached,completion,squad,cost\n2026-03-01T00:00Z,m,100,90,7,search,$1\n,m,10,90,7,search,$1\n"
    )
    rows = reading_text("csv", text, ReadOptions(mapping=mapping))
    (record,) = records(rows)

    assert {"input_tokens": 10, "cache_read_tokens": 90, "output_tokens": 7} == record.quantities
    assert ("anthropic", "m", {"team": "search"}) == facts(record, "vendor", "model", "tags")
    assert [("u:3", "U106", "cached 90 is more than prompt 10, which should hold it")] == rejected(rows)


def test_a_mapping_follows_paths_into_json() -> None:
    mapping = {"used_at": "meta.at", "model": "meta.model", "input_tokens": "usage.prompt_tokens"}
    text = '{"meta": {"at": 1772323200, "model": "m"}, "usage": {"prompt_tokens": 3}}'

    (record,) = records(reading_text("jsonl", text, ReadOptions(mapping=mapping)))

    assert (MARCH, {"input_tokens": 3}) == facts(record, "used_at", "quantities")


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("", ReadOptions(), "U110"),
        ("\n\n", ReadOptions(), "U110"),
        ("when,model,input_tokens\n2026-03-01T00:00Z,m,1\n", ReadOptions(), "U112"),
        ("used_at,model,prompt_tokens\n2026-03-01T00:00Z,m,1\n", ReadOptions(), "U111"),
        ("used_at,model,model\n2026-03-01T00:00Z,m,1\n", ReadOptions(), "U107"),
        ("used_at,model\n2026-03-01T00:00Z,m\n", ReadOptions(mapping={"inpt_tokens": "x"}), "U113"),
        ("used_at,model,prompt\n2026-03-01T00:00Z,m,1\n", ReadOptions(mapping={"input_tokens": "promt"}), "U112"),
        ("used_at,model,in\n2026-03-01T00:00Z,m,1\n", ReadOptions(mapping={"input_tokens": "in - out"}), "U112"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_one_error(text: str, options: ReadOptions, code: str) -> None:
    with pytest.raises(InputError) as caught:
        reading_text("csv", text, options)

    assert code == caught.value.code


def test_options_fill_what_the_row_leaves_empty_and_the_outcome_always() -> None:
    text = "used_at,model,workload,outcome,input_tokens\n2026-03-01T00:00Z,,dev,ok,1\n2026-03-01T00:00Z,own,,ok,1\n"
    options = ReadOptions(model="m", workload="prod", account="acme", outcome="timeout", tags={"team": "search"})

    assert [
        ("m", "dev", "acme", "timeout", {"team": "search"}),
        ("own", "prod", "acme", "timeout", {"team": "search"}),
    ] == [
        facts(record, "model", "workload", "account", "outcome", "tags")
        for record in records(reading_text("csv", text, options))
    ]


def test_a_quote_that_never_closes_is_a_rejected_row() -> None:
    text = 'used_at,model,input_tokens\n2026-03-01T00:00Z,m,1\n2026-03-01T00:00Z,"m,1\n'

    assert [("u:3", "U107")] == [row[:2] for row in rejected(reading_text("csv", text))]


def test_places_count_the_lines_of_quoted_rows() -> None:
    text = 'used_at,model,workload,input_tokens\n2026-03-01T00:00Z,m,"two\nlines",1\n2026-03-01T00:00Z,m,x,-1\n'
    rows = reading_text("csv", text)

    assert ["u:2"] == [str(record.where) for record in records(rows)]
    assert ["u:4"] == [row[0] for row in rejected(rows)]
