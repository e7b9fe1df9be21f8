"""Transcripts on disk: what is written opens unchanged or not at all, and goes with its key or its time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

pytest.importorskip("cryptography", reason="the extra `transcripts` is not installed")

from offtake.store.transcripts.customer_key import HeldKey, folder_of, hold_key, read_data_key, wrap_anew
from offtake.store.transcripts.folder import check_master, customers, delete, files, purge
from offtake.store.transcripts.seal import FileSeal, Master, SealError, master_of
from offtake.store.transcripts.sealed_file import Reading, SealedFile, open_call
from offtake.store.transcripts.span import HOUR, MINUTE, due_at, name_of, span_in, span_of
from offtake.values.errors import OutsideError

MASTER = Master(bytes(range(32)))
AT = 1_795_295_509_833_707
CALLS = [(f"req_w0-1_{number}", b'{"say": "marked-%d"}' % number, b"answer " * number) for number in range(3)]


def written(
    folder: Path, customer: str = "acme", at: int = AT, hours: int = 24, number: int = 1
) -> tuple[Path, HeldKey]:
    """A file with three calls, and the key that it is under."""
    key = hold_key(folder, customer, MASTER)
    span = span_of(at, hours)
    file = SealedFile(folder_of(folder, customer) / name_of(span, "w0-1", number), key, span)
    for id, request, answer in CALLS:
        file.append({"id": id, "at": at}, request, answer)
    return folder_of(folder, customer) / name_of(span, "w0-1", number), key


def opened(path: Path, data_key: bytes) -> list[tuple[str, bytes, bytes]]:
    """Its calls up to the first that does not open."""
    file = Reading(path)
    found = []
    for call in file.calls():
        try:
            found.append((str(call.head["id"]), *open_call(call, file.head, data_key)))
        except SealError:
            break
    return found


def test_what_was_written_opens_and_nothing_of_it_is_in_the_clear(tmp_path: Path) -> None:
    path, key = written(tmp_path)

    assert CALLS == opened(path, key.data_key)
    assert b"marked" not in path.read_bytes()
    assert [0o600, 0o700] == [path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777]
    assert key.data_key not in (path.parent / "key.json").read_bytes()


def test_a_file_that_ends_anywhere_holds_the_calls_before(tmp_path: Path) -> None:
    path, key = written(tmp_path)
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    ends = [call.start + call.length for call in Reading(path).calls()]
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        file = Reading(path)
        whole_calls = sum(end <= length for end in ends)
        assert whole_calls == len(list(file.calls()))
        assert CALLS[:whole_calls] == opened(path, key.data_key)
        assert ("", length not in (0, head, *ends)) == (file.damaged, file.torn_bytes > 0)


def test_any_byte_that_was_changed_is_noticed(tmp_path: Path) -> None:
    path, key = written(tmp_path)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        found = opened(path, key.data_key)
        assert len(found) < len(CALLS)
        assert CALLS[: len(found)] == found


def test_a_call_opens_in_its_own_place_and_under_its_own_head_only(tmp_path: Path) -> None:
    path, key = written(tmp_path)
    file = Reading(path)
    first, second, _ = file.calls()
    seal = FileSeal(key.data_key, bytes.fromhex(file.head["salt"]))
    sealed = path.read_bytes()[first.start : first.start + first.length]
    assert seal.open(0, sealed, first.bound)
    for number, bound in ((1, first.bound), (0, second.bound), (0, first.bound.replace(b"acme", b"evil"))):
        with pytest.raises(SealError):
            seal.open(number, sealed, bound)


def test_two_files_of_one_customer_and_time_have_keys_of_their_own(tmp_path: Path) -> None:
    one, key = written(tmp_path, number=1)
    two, _ = written(tmp_path, number=2)
    sealed = [path.read_bytes()[next(Reading(path).calls()).start :] for path in (one, two)]

    assert sealed[0] != sealed[1]
    assert Reading(one).head["salt"] != Reading(two).head["salt"]
    assert CALLS == opened(two, key.data_key)


def test_a_file_is_never_written_by_a_second_writer(tmp_path: Path) -> None:
    path, key = written(tmp_path)
    with pytest.raises(FileExistsError):
        SealedFile(path, key, span_of(AT, 24))


def test_another_master_key_opens_nothing_and_says_so(tmp_path: Path) -> None:
    written(tmp_path)
    other = Master(bytes(32))
    for ask in (
        lambda: hold_key(tmp_path, "acme", other),
        lambda: read_data_key(folder_of(tmp_path, "acme"), other),
        lambda: check_master(tmp_path, other),
    ):
        with pytest.raises(OutsideError, match="the master key does not open") as raised:
            ask()
        assert "L740" == raised.value.code
    check_master(tmp_path, MASTER)
    check_master(tmp_path / "nothing", other)


def test_a_customer_s_key_is_wrapped_by_another_master_key_in_its_place(tmp_path: Path) -> None:
    path, key = written(tmp_path)
    place, other = path.parent, Master(bytes(32))
    before = (place / "key.json").read_bytes()

    assert [True, False] == [wrap_anew(place, MASTER, other), wrap_anew(place, MASTER, other)]
    assert len(before) == (place / "key.json").stat().st_size
    assert (key.id, key.data_key) == read_data_key(place, other)
    with key.held() as good:
        assert not good
    with pytest.raises(OutsideError, match="the master key does not open"):
        wrap_anew(place, MASTER, Master(b"x" * 32))
    assert not wrap_anew(tmp_path / "nobody", MASTER, other)


def test_a_customer_s_key_is_of_no_use_to_another(tmp_path: Path) -> None:
    written(tmp_path)
    folder_of(tmp_path, "other").mkdir()
    swapped = (folder_of(tmp_path, "acme") / "key.json").read_text().replace("acme", "other")
    (folder_of(tmp_path, "other") / "key.json").write_text(swapped)
    with pytest.raises(OutsideError):
        hold_key(tmp_path, "other", MASTER)


def test_processes_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from offtake.store.transcripts.customer_key import hold_key;"
        "from offtake.store.transcripts.seal import Master;"
        "print(hold_key(pathlib.Path(sys.argv[1]), 'acme', Master(bytes(range(32)))).id)"
    )
    made = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(4)]
    ids = {each.communicate()[0].strip() for each in made}

    assert {hold_key(tmp_path, "acme", MASTER).id.encode()} == ids
    assert ["key.json"] == [path.name for path in folder_of(tmp_path, "acme").iterdir()]


def test_deletion_leaves_neither_the_key_nor_a_file_and_tells_those_who_hold_it(tmp_path: Path) -> None:
    path, key = written(tmp_path)
    written(tmp_path, "other")
    found = delete(tmp_path, "acme", AT + 5)

    assert found is not None
    assert (key.id, [(path.name, 3, AT, AT)]) == (
        found[0], [(each.name, each.calls, each.first_at, each.last_at) for each in found[1]]
    )  # fmt: skip
    with key.held() as good:
        assert not good
    assert ["deleted"] == [each.name for each in path.parent.iterdir()]
    fresh = hold_key(tmp_path, "acme", MASTER)
    assert (AT + 5, True) == (fresh.after, fresh.data_key != key.data_key)
    assert [3] == [len(list(file.calls())) for file in files(folder_of(tmp_path, "other"))]
    assert delete(tmp_path, "nobody", AT) is None


def test_the_wrapped_key_is_overwritten_where_it_stood(tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    other_name = tmp_path / "copy"
    other_name.hardlink_to(path.parent / "key.json")
    delete(tmp_path, "acme", AT)

    assert {0} == set(other_name.read_bytes())


def test_a_deletion_that_was_killed_halfway_is_one_all_the_same(tmp_path: Path) -> None:
    path, key = written(tmp_path)
    for ask in ("read", "hold", "delete"):
        held = hold_key(tmp_path, "acme", MASTER)
        held.path.write_bytes(bytes(len(held.said)))  # overwritten, and not yet removed
        with held.held() as good:
            assert not good
        if ask == "read":
            assert read_data_key(path.parent, MASTER) is None
        elif ask == "hold":
            assert hold_key(tmp_path, "acme", MASTER).data_key not in (held.data_key, key.data_key)
        else:
            found = delete(tmp_path, "acme", AT)
            assert found is not None
            assert ("", [path.name]) == (found[0], [each.name for each in found[1]])
            assert [path.with_name("deleted")] == list(path.parent.iterdir())
            assert AT == hold_key(tmp_path, "acme", MASTER).after


def test_the_purge_takes_what_is_over_and_nothing_else(tmp_path: Path) -> None:
    old, _ = written(tmp_path, at=AT - 30 * HOUR, number=1)
    young, _ = written(tmp_path, at=AT - 20 * HOUR, number=2)
    strange = young.with_name("notes.sealed")
    strange.write_bytes(b"?")
    size = old.stat().st_size

    assert (1, size) == purge(tmp_path, AT)
    assert {young, strange, young.with_name("key.json")} == set(young.parent.iterdir())
    assert (1, size) == purge(tmp_path, AT, hours=12), "fewer hours hold for what was kept before"
    assert (0, 0) == purge(tmp_path / "nothing", AT)


@given(at=some.integers(0, 4_000_000_000_000_000), hours=some.integers(1, 8_784), later=some.integers(0, 10**14))
def test_a_call_is_kept_for_its_hours_at_most_and_nearly_as_long(at: int, hours: int, later: int) -> None:
    span = span_of(at, hours)

    assert span.begin <= at < span.filled
    assert hours * HOUR - hours * MINUTE < span.until - at <= hours * HOUR
    assert span == span_in(Path(name_of(span, "w0-1", 7)))
    name = name_of(span, "w0-1", 7)
    assert (at + later >= span.until) == due_at(at + later).takes(name)
    assert (at + later >= span.begin + HOUR) == due_at(at + later, hours=1).takes(name)


@pytest.mark.parametrize("name", ["20261121T2112Z-20261399T9999Z.w0.1.sealed", "a.sealed", "20261121T2112Z.w.1.sealed"])
def test_a_name_that_is_not_ours_has_no_span(name: str) -> None:
    assert span_in(Path(name)) is None
    assert not due_at(AT, hours=1).takes(f"{name}.old")


@pytest.mark.parametrize(
    ("text", "good"),
    [("ab" * 32, True), ("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=", True), ("ab" * 31, False), ("secret", False)],
)
def test_a_master_key_is_thirty_two_bytes(text: str, good: bool) -> None:
    assert good == (master_of(text) is not None)


def test_a_full_disk_ends_a_file_and_leaves_what_was_whole(tmp_path: Path) -> None:
    script = """
import pathlib, resource, signal, sys
sys.path[:0] = sys.argv[2:]
from tests.unit.store.test_transcripts import AT, MASTER
from offtake.store.transcripts.customer_key import folder_of, hold_key
from offtake.store.transcripts.sealed_file import SealedFile
from offtake.store.transcripts.span import name_of, span_of
folder = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
key, span = hold_key(folder, "acme", MASTER), span_of(AT, 24)
file = SealedFile(folder_of(folder, "acme") / name_of(span, "w0", 1), key, span)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
for number in range(2):
    try:
        file.append({"id": str(number), "at": AT}, b"x" * 6_000, b"y")
    except OSError as error:
        print(number, error.strerror)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), *sys.path], capture_output=True, text=True, check=True
    )
    (file,) = files(customers(tmp_path)[0])
    calls, found = list(file.calls()), read_data_key(file.path.parent, MASTER)

    assert "1 File too large\n" == done.stdout
    assert (1, 0, "") == (len(calls), file.torn_bytes, file.damaged)
    assert found is not None and [("0", b"x" * 6_000, b"y")] == opened(file.path, found[1])


def test_heads_say_nothing_of_what_was_said(tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    first = path.read_bytes().partition(b"\n")[0]

    assert {"format", "customer", "key", "salt", "from", "until"} == set(json.loads(first))
    assert [{"id", "at", "request_bytes"}] * 3 == [set(call.head) for call in Reading(path).calls()]
