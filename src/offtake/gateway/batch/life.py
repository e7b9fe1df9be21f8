"""The life of a batch in the process of batches: weighed and held, run, written out; and the check of a file before.

Every step can be taken again: the plan stands before the first hold, a line's answer before its settlement, the results
before the batch says that it has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from offtake.gateway.ask import Refusal
from offtake.gateway.batch.books import Books
from offtake.gateway.batch.documents import Batch, Part, batch_of, encode, file_of, header_bytes
from offtake.gateway.batch.emulated import run_emulated
from offtake.gateway.batch.lines import Line, lines_of, refused
from offtake.gateway.batch.native import BREATH, run_native
from offtake.gateway.batch.plan import Answers, Planned, input_name, plan_name, read_plan, write_plan
from offtake.gateway.batch.results import clear, write_results
from offtake.gateway.batch.vendor import Pages, VendorBatches
from offtake.gateway.batch.vendor_anthropic import AnthropicBatches
from offtake.gateway.batch.vendor_openai import OpenAIBatches
from offtake.gateway.batch.weigh import Scales, weigh
from offtake.gateway.batch.work import Work, planned_by_number
from offtake.gateway.callers import Caller
from offtake.gateway.desk import instant, microseconds
from offtake.gateway.outlet import Outlet
from offtake.gateway.vendors.endpoint import Endpoint, OpenAIWire
from offtake.store.batches import BatchStore, Document
from offtake.values.errors import OutsideError

FAULTS_MAX = 20
"""Wrong lines of a file that are named."""


@dataclass(slots=True)
class House:
    """What all batches share; `scales` are renewed when the configuration changes."""

    store: BatchStore
    books: Books
    scales: Scales

    def outlets(self) -> Mapping[str, Outlet]:
        """Outlets by id."""
        return {outlet.id: outlet for outlet in self.scales.in_force.outlets}


async def check_file(house: House, document: Document, caller: Caller) -> None:
    """Read an uploaded file and say whether every line of it may run for its key."""
    file = file_of(document.body)
    found = await _weighed(house, caller, file.id, "openai", {}, file.created_at)
    if isinstance(found, Refusal):
        file.status, file.refusal = "refused", found
    else:
        file.status, file.lines, file.endpoint = "processed", len(found.plan), found.endpoint
    house.store.write(file.id, encode(file), open=False, ends_at=file.ends_at)


async def begin(house: House, document: Document, caller: Caller) -> Work | None:
    """A batch that can run, planned and held; None for one that is refused, which its document says then.

    OutsideError (G908) for one whose outlet the configuration no longer has.
    """
    batch = batch_of(document.body)
    store, outlets = house.store, house.outlets()
    plan = read_plan(store, batch.id)
    if plan is None or not batch.parts:
        name = input_name(batch.id)
        if not store.link(batch.file or name, name):
            _fail(house, batch, Refusal("bad_request", "G904", "the file of its requests is not there any more"))
            return None
        found = await _weighed(house, caller, name, batch.wire, batch.headers, batch.created_at)
        if not isinstance(found, Refusal) and batch.endpoint != found.endpoint:
            found = Refusal("bad_request", "G904", f"the lines of the file go to {found.endpoint}")
        if isinstance(found, Refusal):
            _fail(house, batch, found)
            return None
        plan, batch.parts, batch.lines = found.plan, found.parts, len(found.plan)
        batch.held_pico = sum(line.hold_pico for line in plan)
        write_plan(store, batch.id, plan)
        store.write(batch.id, encode(batch), open=True)
    gone = [part.outlet for part in batch.parts if part.outlet not in outlets]
    if gone:
        raise OutsideError(
            "G908", f"{batch.id} runs at {gone[0]}, which the configuration no longer has",
            hint="name its contract and vendor again until the batch has ended; it is tried again every few seconds",
        )  # fmt: skip
    held = house.books.found(batch, caller)
    if batch.status == "validating":
        refusal = house.books.hold(batch, caller, plan, outlets, held)
        if refusal is not None:
            for line in plan:
                house.books.release(batch, line, "refused", held)
            _fail(house, batch, refusal)
            return None
        batch.become("in_progress", microseconds())
    answers = Answers(store, batch.id)
    work = Work(
        store, house.books, house.scales, batch, caller, planned_by_number(plan), outlets, held, answers,
    )  # fmt: skip
    batch.counts, batch.usage, batch.cost_pico = {}, {}, 0
    work.replay()
    work.save()
    return work


async def live(work: Work) -> None:
    """Run a batch to its end; or return before, where `work.stop` is set, and it goes on at the next start."""
    parts = [index for index, part in enumerate(work.batch.parts) if not part.ended]
    await asyncio.gather(*(_part(work, index) for index in parts))
    if len(work.done) < len(work.plan):
        work.answers.close()
        return
    batch = work.batch
    now = microseconds()
    batch.become("finalizing", now)
    work.save()
    write_results(work, now)
    expired = batch.counts.get("expired", 0) > 0
    batch.become("cancelled" if work.cancelled else "expired" if expired else "completed", microseconds())
    work.books.close_batch(work.held)
    work.store.write(batch.id, encode(batch), open=False, ends_at=now + batch.kept_for)
    clear(work)


async def _part(work: Work, index: int) -> None:
    part = work.batch.parts[index]
    if part.native:
        await run_native(work, _vendor(work, part), index)
    else:
        await run_emulated(work, index)


def _vendor(work: Work, part: Part) -> VendorBatches:
    name = work.outlets[part.outlet].name

    def find() -> Endpoint:
        return work.scales.endpoints[name]

    if isinstance(find().wire, OpenAIWire):
        return OpenAIBatches(Pages(find, {}))
    of_client = work.batch.headers if work.batch.wire == "anthropic" else {}
    return AnthropicBatches(Pages(find, header_bytes(of_client)))


@dataclass(slots=True)
class _Found:
    """What all lines of a file come to."""

    plan: list[Planned]
    parts: list[Part]
    endpoint: str = ""


async def _weighed(
    house: House, caller: Caller, name: str, wire: str, headers: Mapping[str, str], created_at: int
) -> _Found | Refusal:
    """Every line of a file, weighed; or what is wrong with the first ones that cannot run."""
    found, faults, at = _Found([], []), [], instant(created_at)
    indexes: dict[tuple[str, str, bool], int] = {}
    sent = header_bytes(headers)
    for count, line in enumerate(lines_of(house.store.path(name), wire)):
        if count % BREATH == 0:
            await asyncio.sleep(0)
        weighed = weigh(line, sent, caller, house.scales, at) if isinstance(line, Line) else line
        if isinstance(weighed, Refusal):
            faults.append(refused(line.number, "", weighed) if isinstance(line, Line) else weighed)
            if len(faults) == FAULTS_MAX:
                break
        elif isinstance(line, Line) and not faults:
            part = (weighed.outlet.id, weighed.spoken.ask.dialect, weighed.native)
            index = indexes.setdefault(part, len(indexes))
            if index == len(found.parts):
                found.parts.append(Part(*part))
            found.parts[index].lines += 1
            found.endpoint = line.url
            found.plan.append(
                Planned(line.number, line.start, line.size_bytes, index, weighed.model, weighed.hold_pico)
            )
    return _together(faults) if faults else found


def _together(faults: list[Refusal]) -> Refusal:
    """One refusal that names every line; its kind and clause are the first one's."""
    first = faults[0]
    if len(faults) == 1:
        return first
    more = "; ".join(fault.message for fault in faults)
    return Refusal(first.kind, first.code, more, first.clause, first.hint)


def _fail(house: House, batch: Batch, refusal: Refusal) -> None:
    batch.refusal = refusal
    batch.become("failed", microseconds())
    house.store.delete(plan_name(batch.id), input_name(batch.id))
    house.store.write(batch.id, encode(batch), open=False, ends_at=microseconds() + batch.kept_for)
