"""Which engine acts on each field of the language. A term that nothing acts on is a defect.

Engines: plan (what to buy), negotiate (what to ask for, what the paper says), gate (what to allow in traffic), rate
(what it costs), assure (what differs, what is owed, what is due). A field that holds other terms is claimed through
them. `record_only` fields are kept and shown, and nothing is computed from them; the reason stands beside them.
A test walks the schema: a field without a claim, or a claim without a field, fails.
"""

from __future__ import annotations

ENGINES = ("plan", "negotiate", "gate", "rate", "assure")

CLAIMS: dict[str, dict[str, str]] = {
    # term of the schema: {engines: keys}
    "ContractFile": {"rate assure": "contract vendor", "negotiate assure": "buyer documents"},
    "TermDates": {"rate plan assure": "from until time_zone currency"},
    "Billing": {"rate": "period anchor"},
    "Rounding": {"rate assure": "where places mode"},
    "Scope": {"rate gate": "models channels access affiliates"},
    "Prices": {"rate": "basis fixed new_meters region_uplift"},
    "Freeze": {"rate": "at"},
    "PriceDrops": {"rate": "basis trigger lag ratchet"},
    "Discount": {"rate plan negotiate": "models share channels meters"},
    "Step": {"rate": "from share of models"},
    "StepCondition": {"rate": "spend_last_12_months"},
    "NewModels": {"rate": "share successors"},
    "Tiers": {"rate plan": "kind window models"},
    "Measure": {"rate": "amount at"},
    "Tier": {"rate plan": "up_to share"},
    "ChannelPrice": {"rate plan": "share surcharge"},
    "Cache": {"rate plan": "read write_5m write_1h", "gate plan": "min_prefix_tokens"},
    "OffPeak": {"rate gate": "share hours days weekends time_zone"},
    "NonProduction": {"rate gate": "share workloads"},
    "Combine": {"rate": "how exclusive"},
    "Fees": {"rate": "platform"},
    "Block": {"rate": "amount beyond"},
    "BlockIncludes": {"rate": "tokens"},
    "Seats": {"rate": "count price true_down", "assure": "reassign"},
    "SeatTier": {"rate": "up_to price"},
    "Support": {"rate": "share of"},
    "License": {"rate": "amount", "negotiate": "deployment"},
    "Commitment": {"rate plan": "id amount pool counts_at minimum true_up"},
    "TokenCommitment": {"rate plan": "amount weights shortfall_price"},
    "Pool": {"rate gate": "models access affiliates"},
    "Shortfall": {"rate": "share"},
    "Prepaid": {"rate plan": "share discount as bonus"},
    "Rollover": {"rate plan": "share of into expires_after order"},
    "Burst": {
        "rate plan": "window up_to windows_per_year at average_within",
        "rate assure": "notice",
        "gate": "raises_limits",
    },
    "Overage": {"rate plan": "at surcharge"},
    "OverageNotice": {"rate assure": "at by else"},
    "Ramp": {"rate plan": "year amount"},
    "Marketplace": {"plan negotiate": "burns share"},
    "MarketplaceCap": {"plan negotiate": "of share"},
    "TopUps": {"rate": "bonus expires_after burn_order minimum"},
    "Credit": {"rate": "name amount expires priority applies_to models starts counts"},
    "FailedRequests": {"rate assure": "http_5xx timeout vendor_truncation refusal client_cancel client_error"},
    "ByClass": {"rate assure": "input cache_read cache_write output others"},
    "Capacity": {"assure": "no_throttle_below throttled_max raise_limits_within", "negotiate": "priority features"},
    "Limits": {"gate assure": "requests_per_second requests_per_minute concurrency input_tpm output_tpm"},
    "CapacityCredits": {"assure": "per of_minutes_throttled of cap"},
    "Reserved": {
        "gate plan": "input_tpm output_tpm",
        "rate gate": "price models",
        "gate": "spill",
        "assure": "peak_multiple",
    },
    "Forecast": {"plan assure": "horizon headroom"},
    "Uptime": {
        "assure": "target window method slice slice_target exclude of cap claim_within paid_as",
        "negotiate": "sole_remedy",
    },
    "UptimeCredits": {"assure": "per share step ladder"},
    "CreditSchedule": {"assure": "per share step ladder"},
    "Latency": {"assure": "p50_ms_max p95_ms_max first_token_p95_ms_max no_worse_than tolerance"},
    "LatencyLoad": {"assure": "input_tokens_max output_tokens_max"},
    "SupportService": {"assure": "rca", "negotiate": "hours named_contacts channel"},
    "Severity": {"assure": "respond workaround plan fix"},
    "Residency": {"gate": "regions fail", "negotiate": "transfers"},
    "Data": {
        "gate negotiate": "training carve_outs retention cache_purge",
        "negotiate": "purpose sharing durability processing_agreement",
        "assure": "breach_notice",
    },
    "Deletion": {"assure": "on_request certificate"},
    "Encryption": {"gate negotiate": "in_transit", "negotiate": "at_rest"},
    "Recurring": {"assure": "every notice"},
    "Subprocessors": {"assure": "notice", "negotiate": "objection"},
    "AuditLog": {"assure": "retention"},
    "Access": {"negotiate": "sso roles least_privilege"},
    "Models": {
        "gate": "pin silent_changes",
        "assure": "hold deprecation_notice change_notice alignment_notice overlap validation",
    },
    "Evaluation": {"gate plan": "suite floor confidence workloads"},
    "Admission": {"gate plan": "model settings", "gate assure": "until drift_below", "plan": "score tasks evaluated"},
    "Recheck": {"gate assure": "samples withdraw_at", "plan": "margin"},
    "Acceptance": {"gate assure": "suite floor", "assure": "cure"},
    "Behaviour": {
        "gate": "block suspend_on",
        "assure": "commitment_while_suspended review issue_response",
        "negotiate": "disclose hidden_behaviour",
    },
    "HarmfulOutput": {"assure": "violations cure"},
    "Security": {
        "negotiate": "hipaa regimes law_compliance penalty_indemnity output_risk",
        "assure": "critical_patch",
    },
    "Certificate": {"assure": "by report_age_max"},
    "AiAct": {"negotiate": "assist", "assure": "within"},
    "Ip": {"negotiate": "inputs outputs confidential feedback"},
    "Indemnity": {"negotiate": "outputs exclusions"},
    "FineTuned": {"negotiate": "owner exclusive resale escrow release_on"},
    "CoDevelopment": {"negotiate": "owner", "assure": "exclusive_for"},
    "Deployment": {
        "negotiate": "kind tenancy instances vendor_access remote_kill_switch telemetry upgrades",
        "gate": "model_hashes",
        "assure": "implementation_days critical_patch fix",
    },
    "Protection": {
        "negotiate": "most_favoured exclusivity terms_change publicity assignment precedence",
        "gate negotiate": "resale",
        "assure": "price_change_notice yearly_increase_cap terms_change_notice",
    },
    "BenchmarkReview": {"assure": "at", "plan assure": "gap"},
    "MeetOrRelease": {"plan assure": "gap", "assure": "respond_within"},
    "Suspension": {"assure": "notice", "negotiate": "causes"},
    "Liability": {"negotiate": "super_cap outside_cap mutual insurance due_care", "assure": "warranty"},
    "LiabilityCap": {"negotiate": "months_of_fees amount"},
    "Payment": {
        "assure": "due dispute_within evidence evidence_tolerance late_fee",
        "negotiate": "refund_prepaid_on_exit acceleration taxes withholding",
    },
    "Renewal": {"assure": "automatic notice", "rate plan": "price_cap", "plan": "commit_reduction"},
    "RenewalIncentive": {"plan negotiate": "discount credits"},
    "Convenience": {"plan assure": "notice fee_months fee_base"},
    "VendorConvenience": {"assure": "notice", "negotiate": "refund"},
    "Breach": {"assure": "cure", "negotiate": "mutual"},
    "SlaBreaches": {"assure": "count within"},
    "Deliverable": {"assure": "slip"},
    "Innovation": {"plan assure": "after vendor_may_match"},
    "CustomModel": {"negotiate": "at_end", "assure": "hold"},
    "Transition": {"assure": "period", "plan": "at"},
    "Exit": {"assure": "data_export", "negotiate": "regulation quality_regression change_of_control"},
    "Alerts": {"assure": "over_commitment forecast_shortfall freshness notify"},
    "Obligation": {"assure": "id who what every due within trigger quantity unit evidence gates"},
    "Amendment": {"rate assure": "effective document changes prorate"},
}

RECORD_ONLY: dict[str, str] = {
    # term.key: the reason
    "Liability.law": "governing law decides a dispute, and no engine decides one",
}


def engines_of(term: str, key: str) -> tuple[str, ...]:
    """The engines that act on a field; none for a field that is only recorded."""
    return tuple(
        engine for engines, keys in CLAIMS.get(term, {}).items() if key in keys.split() for engine in engines.split()
    )
