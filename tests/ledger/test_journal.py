"""The journal on disk: whole lines or nothing, whatever ends the writer or fills the disk."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from offtake.gateway.journal.durable import Durable
from offtake.gateway.journal.events import End, Intent, Settle, events_of
from offtake.gateway.journal.reader import JournalDamagedError, Listing, dead_lock, journals, read_piece
from offtake.gateway.journal.writer import SPARE_BYTES, JournalError, JournalWriter
from offtake.ledger.lines import line_of, split_lines
from offtake.values.errors import InputError
from tests.ledger.traffic import intent, kill, release, settle

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}


def ids(folder: Path) -> list[str]:
    """The events of all journals of a folder, in order."""
    paths = [path for several in journals(folder).values() for path in several]
    return [f"{head.kind} {head.id}" for path in paths for head, _ in read_piece(path, 0, 2**30).events]


def ids_before(path: Path, place: int) -> list[str]:
    """The events of a journal's first bytes."""
    return [f"{head.kind} {head.id}" for head, _ in events_of(split_lines(path.read_bytes()[:place]))]


def test_what_was_appended_is_read_back(folder: Path) -> None:
    journal = JournalWriter(folder, "w1")
    journal.append(intent("a", {"b": 5}))
    journal.append(intent("c", {"b": 5}), settle("a", ["b"], 10**25))  # one line
    journal.append(release("c", ["b"]))
    journal.close()
    (path,) = journals(folder)["w1"]
    piece = read_piece(path, 0, 2**20)

    assert ["intent a", "intent c", "settle a", "release c"] == ids(folder)
    assert (b'{"b":5}', 10**25) == (bytes(piece.events.entries[0].holds), piece.events.entries[2].cost_pico)
    assert (path.stat().st_size, False) == (piece.stop, piece.more)


def test_a_journal_is_read_piece_by_piece(folder: Path) -> None:
    journal = JournalWriter(folder, "w1")
    for number in range(50):
        journal.append(intent(f"r{number}", {"b": number}))
    (path,) = journals(folder)["w1"]
    found, place, more = [], 0, True
    while more:
        piece = read_piece(path, place, 300)  # one or two lines; the first is longer than some
        found += [head.id for head, _ in piece.events]
        place, more = piece.stop, piece.more

    assert [f"r{number}" for number in range(50)] == found
    journal.close()


def test_a_torn_end_is_left_where_it_is_and_damage_is_an_error(folder: Path) -> None:
    journal = JournalWriter(folder, "w1")
    for number in range(3):
        journal.append(intent(f"r{number}", {"b": 1}))
    kill(journal)
    (path,) = journals(folder)["w1"]
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        piece = read_piece(path, 0, 2**20)
        assert (whole[:cut].rfind(b"\n") + 1, False) == (piece.stop, piece.more)
    path.write_bytes(whole.replace(b'"r1"', b'"r9"'))

    with pytest.raises(JournalDamagedError, match="L703"):
        read_piece(path, 0, 2**20)
    place = 0
    with pytest.raises(JournalDamagedError, match="L703"):
        for _ in range(10):
            place = read_piece(path, place, 200).stop  # although the whole line is in a later piece
    assert "intent r0" == ids_before(path, place)[-1]


def test_a_journal_of_a_later_format_is_not_guessed_at(folder: Path) -> None:
    path = folder / "w1.000001.wal"
    path.write_bytes(line_of(b'{"kind":"open","worker":"w1","sequence":1,"format":2}') + b"\n")

    with pytest.raises(JournalDamagedError, match="format 2"):
        read_piece(path, 0, 2**20)


def test_a_file_that_is_ended_twice_holds_what_stands_before(folder: Path) -> None:
    """The last line may itself be the one that fills the file."""
    journal = JournalWriter(folder, "w1")
    journal.append(intent("a", {"b": 1}))
    journal.append(End("w1"))
    journal.close()

    assert ["intent a"] == ids(folder)


def test_a_folder_that_changes_is_listed_again(folder: Path) -> None:
    listing = Listing(folder)
    assert {} == listing()
    os.utime(folder, ns=(5, 5))
    assert {} == listing()
    journal = JournalWriter(folder, "w1")
    assert ["w1"] == list(listing())
    journal.close()
    os.utime(folder, ns=(5, 5))
    assert ["w1"] == list(listing())
    (folder / "w2.000001.wal").touch()
    os.utime(folder, ns=(5, 5))  # within one tick of the file system
    assert ["w1"] == list(listing())
    listing.forget()
    assert ["w1", "w2"] == list(listing())


def test_files_rotate_and_keep_their_order(folder: Path) -> None:
    journal = JournalWriter(folder, "w1", rotate_bytes=2_000)
    for number in range(40):
        journal.append(intent(f"r{number:02d}", {"b": 1}))
    journal.close()

    assert len(journals(folder)["w1"]) > 3
    assert [f"intent r{number:02d}" for number in range(40)] == ids(folder)


def test_a_name_has_one_living_worker(folder: Path) -> None:
    journal = JournalWriter(folder, "w1")

    with pytest.raises(JournalError):
        JournalWriter(folder, "w1")
    with pytest.raises(InputError, match="not a worker"):
        JournalWriter(folder, "../w1")
    assert dead_lock(folder, "w1") is None
    journal.close()
    descriptor = dead_lock(folder, "w1")
    assert descriptor is not None
    os.close(descriptor)


ENDLESS = """
import os
from pathlib import Path
from tests.ledger.traffic import intent
from offtake.gateway.journal.writer import JournalWriter
journal = JournalWriter(Path({folder!r}), "w1")
number = 0
while True:
    journal.append(intent(f"r{{number}}", {{"b": 1}}))
    os.write(1, b"%d\\n" % number)
    number += 1
"""


def test_a_worker_that_is_killed_leaves_every_line_that_it_said_it_wrote(folder: Path) -> None:
    """A real process, really killed: what it printed after `append` is in the file."""
    child = subprocess.Popen(
        [sys.executable, "-c", ENDLESS.format(folder=str(folder))], stdout=subprocess.PIPE, env=ENVIRONMENT
    )
    assert child.stdout is not None
    for _ in range(500):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    said = 500 + len(child.stdout.read().split(b"\n")) - 1
    child.wait()
    child.stdout.close()

    found = ids(folder)
    assert said <= len(found) <= said + 1
    assert [f"intent r{number}" for number in range(len(found))] == found
    descriptor = dead_lock(folder, "w1")  # the kernel has said that it is dead
    assert descriptor is not None
    os.close(descriptor)


LIMITED = """
import resource, signal
from pathlib import Path
from tests.ledger.traffic import intent, settle
from offtake.gateway.journal.writer import JournalWriter, JournalError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20 + 100, resource.RLIM_INFINITY))
journal = JournalWriter(Path({folder!r}), 'w1')
for number in range(8_000):
    journal.append(intent(f'r{{number}}', {{'b': 1}}))
    journal.append(settle(f'r{{number}}', ['b'], 1))
print('wrote')
"""


def test_a_file_that_may_grow_no_more_is_followed_by_the_next(folder: Path) -> None:
    program = LIMITED.format(folder=str(folder))
    done = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=False)

    assert ("wrote\n", "") == (done.stdout, done.stderr)
    assert 16_000 == len(ids(folder))
    assert len(journals(folder)["w1"]) > 2


def test_on_a_full_disk_nobody_is_let_in_and_who_is_in_can_be_settled(small_disk: Path) -> None:
    journal = JournalWriter(small_disk, "w1")
    accepted = []
    with pytest.raises(JournalError, match="No space left"):
        for number in range(100_000):
            journal.append(intent(f"r{number}", {"b": 1}))
            accepted.append(f"r{number}")
    for request in accepted[-1_000:]:
        journal.append(settle(request, ["b"], 1))  # the spare was given up for these
    with pytest.raises(JournalError):
        journal.append(intent("one more", {"b": 1}))
    kill(journal)

    assert [
        *(f"intent {request}" for request in accepted),
        *(f"settle {request}" for request in accepted[-1_000:]),
    ] == ids(small_disk)


def test_answers_that_wait_for_the_disk_share_its_syncs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = JournalWriter(folder, "w1", power=True)
    syncs: list[int] = []
    real = journal.sync_descriptor

    def counted(descriptor: int) -> None:
        syncs.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(journal, "sync_descriptor", counted)

    async def serve() -> None:
        durable = Durable(journal)

        async def answer(number: int) -> None:
            journal.append(intent(f"r{number}", {"b": 1}))
            await durable.appended()

        await asyncio.gather(*(answer(number) for number in range(200)))

    asyncio.run(serve())
    assert 200 == len(ids(folder))
    assert 1 <= len(syncs) < 20
    journal.close()


def test_a_disk_that_refuses_a_sync_is_never_believed_again(folder: Path) -> None:
    journal = JournalWriter(folder, "w1", power=True)
    read, write = os.pipe()  # a pipe cannot be synced: a real refusal of the kernel

    with pytest.raises(JournalError):
        journal.sync_descriptor(write)
    with pytest.raises(JournalError):
        journal.append(intent("a", {"b": 1}))
    os.close(read)
    journal.close()


def test_events_have_no_field_for_content() -> None:
    for kind in (Intent, Settle):
        assert not {"prompt", "messages", "content", "body", "text"} & set(kind.__struct_fields__)


def test_the_spare_is_there_from_the_start(folder: Path) -> None:
    journal = JournalWriter(folder, "w1")

    assert SPARE_BYTES == (folder / "w1.spare").stat().st_size
    journal.close()
    assert not (folder / "w1.spare").exists()
