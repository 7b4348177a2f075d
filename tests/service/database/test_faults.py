"""What is committed stays, whatever happens; what fails says so in plain words."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from sqlalchemy import event

from nativeear.scoring.assessment import Assessment
from nativeear.service.database import store as store_module
from nativeear.service.database.errors import (
    AuthenticationError,
    DiskFullError,
    NotFoundError,
    StorageError,
)
from nativeear.service.database.keys import NewKey
from nativeear.service.database.store import Store
from tests.service.database.conftest import fill

NOW = datetime.now(timezone.utc)
ROOT = Path(store_module.__file__).parents[2]

WRITER = """
import sys
from pathlib import Path
from uuid import uuid4
from nativeear.service.database.assessments import NewAssessment
from nativeear.service.database.errors import StorageError
from nativeear.service.database.store import Store

url, result, limit = sys.argv[1], Path(sys.argv[2]).read_text(), int(sys.argv[3])
store = Store.open(url)
if limit:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
while True:
    id = uuid4().hex
    try:
        store.save_assessment(
            NewAssessment(id=id, language="en-US", index="en-US", result=result, duration_s=2.0,
                          learner_id="ana", audio=id.encode() * 2000, audio_type="audio/wav")
        )
    except StorageError as error:
        print(error, error.fix, sep="|", flush=True)
        break
    print(id, flush=True)
"""


def writing(url: str, folder: Path, result: Assessment, limit: int = 0) -> subprocess.Popen[str]:
    """A process that stores one assessment after another and tells each id once it is stored."""
    file = folder / "result.json"
    file.write_text(result.model_dump_json())
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, url, str(file), str(limit)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def assert_whole(url: str, ids: list[str], phones: int) -> None:
    """Every one of `ids` is there with its phones and recording, and nothing is there in part."""
    store = Store.open(url)
    listed, after = [], None
    while True:
        page = store.assessments(key_id=None, after=after, limit=500)
        listed += [item.id for item in page.items]
        after = page.next
        if after is None:
            break
    assert set(ids) <= set(listed)
    assert len(listed) <= len(ids) + 1  # the last one may have been stored and not been told
    for id in listed:
        assert store.audio(id, key_id=None).bytes == id.encode() * 2000
    progress = store.learner_progress("ana", key_id=None)
    assert sum(phone.count for phone in progress.phones) == len(listed) * phones
    store.close()


def phones_of(result: Assessment) -> int:
    return sum(len(word.phones) for word in result.words)


@pytest.mark.parametrize("written", [1, 25])
def test_a_service_that_is_killed_while_it_writes_loses_nothing(
    url, tmp_path, assessment, written
) -> None:
    process = writing(url, tmp_path, assessment)
    ids = [process.stdout.readline().strip() for _ in range(written)]
    process.send_signal(signal.SIGKILL)
    ids += process.stdout.read().split()
    assert process.wait(10) == -signal.SIGKILL
    assert_whole(url, ids, phones_of(assessment))
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def test_a_file_that_may_not_grow_stops_the_writer_and_loses_nothing(
    tmp_path, migrated_file, assessment
) -> None:
    shutil.copy(migrated_file, tmp_path / "service.db")
    url = f"sqlite:///{tmp_path / 'service.db'}"
    process = writing(url, tmp_path, assessment, limit=600_000)
    *ids, last = process.communicate(timeout=60)[0].splitlines()
    message, fix = last.split("|")
    assert len(ids) > 1
    assert message == "The database cannot be read or written."
    assert "space" in fix
    assert_whole(url, ids, phones_of(assessment))


def test_a_full_disk_is_told_and_what_was_stored_can_be_read(tmp_path, migrated_file, new) -> None:
    file = tmp_path / "service.db"
    shutil.copy(migrated_file, file)
    store = Store.open(f"sqlite:///{file}")
    _, secret = store.create_key(NewKey("class", ("read",)))
    kept = store.save_assessment(new(audio=b"kept"))
    store.close()

    store = Store.open(f"sqlite:///{file}")
    pages = file.stat().st_size // 4096
    event.listen(
        store._engine,
        "checkout",
        lambda connection, *_: connection.execute(f"PRAGMA max_page_count = {pages}"),
    )
    with pytest.raises(StorageError, match="disk of the database is full") as told:
        store.save_assessment(new(audio=bytes(1_000_000)))
    assert told.value.fix
    assert [item.id for item in store.assessments(key_id=None).items] == [kept.id]
    assert store.audio(kept.id, key_id=None).bytes == b"kept"
    assert store.authenticate(secret).name == "class"
    store.delete_assessment(kept.id, key_id=None)  # so that there is space again
    assert store.save_assessment(new()).id
    store.close()


def test_a_database_that_is_removed_while_in_use_is_missed_at_once(
    tmp_path, migrated_file, new
) -> None:
    file = tmp_path / "service.db"
    shutil.copy(migrated_file, file)
    store = Store.open(f"sqlite:///{file}")
    saved = store.save_assessment(new())
    away = file.with_suffix(".away")
    file.rename(away)
    for ask in (
        store.ping,
        lambda: store.save_assessment(new()),
        lambda: store.assessment(saved.id, key_id=None),
    ):
        with pytest.raises(StorageError, match="removed or replaced"):
            ask()
    shutil.copy(away, file)
    with pytest.raises(StorageError, match="removed or replaced"):
        store.ping()
    file.unlink()
    away.rename(file)
    assert store.assessment(saved.id, key_id=None) == saved
    store.close()


def test_a_server_that_goes_away_and_comes_back(postgres, emptied_url, new) -> None:
    store = Store.open(emptied_url)
    saved = store.save_assessment(new())
    postgres.kill()
    try:
        with pytest.raises(StorageError, match="does not answer") as told:
            store.ping()
        assert told.value.cause
        with pytest.raises(StorageError):
            store.save_assessment(new())
    finally:
        postgres.start()
    store.ping()
    assert store.assessment(saved.id, key_id=None) == saved
    assert store.save_assessment(new()).id
    store.close()


def test_a_folder_that_may_not_be_written_is_told(migrated_file) -> None:
    if os.geteuid() != 0:
        pytest.skip("to be somebody else, the test must be run by root")
    folder = Path(shutil.copytree(migrated_file.parent, f"/tmp/nativeear-{os.getpid()}"))  # noqa: S108
    try:
        code = (
            "import os, sys\n"
            "from nativeear.service.database.errors import StorageError\n"
            "from nativeear.service.database.store import Store\n"
            "Store.open(f'sqlite:///{sys.argv[1]}.own').close()  # nobody may not read libraries\n"
            "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            "for name in sys.argv[1:]:\n"
            "    try: Store.open(f'sqlite:///{name}')\n"
            "    except StorageError as error: print(error, bool(error.fix), sep='|')\n"
        )
        folder.chmod(0o755)
        (folder / "service.db").chmod(0o644)
        names = [str(folder / name) for name in ("service.db", "new.db")]
        done = subprocess.run(
            [sys.executable, "-c", code, *names],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        told = done.stdout.splitlines()
        assert told == [
            "The database may not be written.|True",
            f"The database {folder / 'new.db'} cannot be made.|True",
        ]
    finally:
        shutil.rmtree(folder)


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path) -> None:
    file = tmp_path / "service.db"
    file.write_bytes(b"Dear diary" * 1000)
    with pytest.raises(StorageError, match="not a SQLite database"):
        Store.open(f"sqlite:///{file}")
    assert file.read_bytes() == b"Dear diary" * 1000


def test_a_damaged_database_is_told(tmp_path, migrated_file, new) -> None:
    file = tmp_path / "service.db"
    shutil.copy(migrated_file, file)
    store = Store.open(f"sqlite:///{file}")
    saved = store.save_assessment(new())
    store.close()
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    file.write_bytes(data)
    with pytest.raises(StorageError, match="damaged"):
        Store.open(f"sqlite:///{file}").assessment(saved.id, key_id=None)


def test_a_folder_that_is_not_there_is_told(tmp_path) -> None:
    with pytest.raises(StorageError, match="cannot be made") as told:
        Store.open(f"sqlite:///{tmp_path / 'nowhere' / 'service.db'}")
    assert told.value.fix
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (StorageError, "storage"),
        (NotFoundError, "not-found"),
        (AuthenticationError, "not-authenticated"),
    ],
)
def test_errors_are_told_by_their_code(kind, code) -> None:
    from nativeear.service.api.problems import status_of

    assert kind("x").code == code
    assert status_of(kind("x")) in {401, 404, 503}


def test_what_is_on_a_full_disk_can_be_deleted(small_disk, migrated_file, new) -> None:
    file = small_disk / "service.db"
    shutil.copy(migrated_file, file)
    store = Store.open(f"sqlite:///{file}", reserve_bytes=3 << 20)
    key, _ = store.create_key(NewKey("class", ("read",)))
    voice = b"a voice that nobody else is to hear" * 40_000  # 1.4 MB
    ana = [store.save_assessment(new(audio=voice, learner_id="ana")) for _ in range(2)]
    store.save_assessment(new(audio=voice, expires_at=NOW))
    kept = store.save_assessment(new(audio=b"kept"))
    reserve = small_disk / "service.db-reserve"
    reserved = reserve.stat().st_blocks
    assert reserved * 512 == pytest.approx(3 << 20, rel=0.1)
    store.forget()
    fill(small_disk)
    with pytest.raises(DiskFullError, match="full"):
        store.save_assessment(new(audio=voice))
    for ask in (store.ping, lambda: store.renew_jobs(())):
        with pytest.raises(DiskFullError):
            ask()
    store.delete_assessment(ana[0].id, key_id=None)
    assert store.delete_learner("ana", key_id=None) == 1
    assert store.purge(NOW).count == 1
    command = Store.open(f"sqlite:///{file}")  # another program, on what the service reserved
    assert command.revoke_key(key.id).revoked_at
    command.close()
    assert reserve.stat().st_blocks == reserved  # taken again, each time
    assert [item.id for item in store.assessments(key_id=None).items] == [kept.id]
    for name in ("service.db", "service.db-wal"):
        assert b"nobody else is to hear" not in (small_disk / name).read_bytes()
    (small_disk / "others").unlink()
    store.ping()
    assert store.save_assessment(new(audio=voice)).id
    store.close()


def test_no_more_than_a_part_of_a_small_disk_is_reserved(small_disk, migrated_file) -> None:
    file = small_disk / "service.db"
    shutil.copy(migrated_file, file)
    Store.open(f"sqlite:///{file}", reserve_bytes=64 << 20).close()
    assert 2 << 20 < (small_disk / "service.db-reserve").stat().st_blocks * 512 <= 3 << 20
