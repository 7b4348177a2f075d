import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from typer.testing import CliRunner, Result

from nativeear.service.cli import app
from nativeear.service.database.store import Store


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@contextmanager
def writing(store: Store, new) -> Iterator[list[str]]:
    """Stores one assessment after another meanwhile; their ids."""
    stored: list[str] = []
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            stored.append(store.save_assessment(new(audio=bytes(50_000))).id)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield stored
    finally:
        ended.set()
        writer.join()


def test_a_backup_of_a_database_in_use_is_restored_whole(migrated_file, tmp_path, new) -> None:
    file = tmp_path / "service.db"
    file.write_bytes(migrated_file.read_bytes())
    url, out = f"sqlite:///{file}", tmp_path / "backup.db"
    store = Store.open(url)
    with writing(store, new) as stored:
        while len(stored) < 3:
            pass
        before = list(stored)
        done = run("backup", out, "--database", url, "--json")
        after = list(stored)
    store.close()
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["bytes"] == out.stat().st_size
    assert out.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir() if "backup" in path.name) == [
        "backup.db"
    ]

    elsewhere = f"sqlite:///{tmp_path / 'again.db'}"
    assert run("restore", out, "--database", elsewhere).exit_code == 0
    restored = Store.open(elsewhere)
    found = {item.id for item in restored.assessments(key_id=None, limit=500).items}
    assert set(before) <= found <= {*after, *stored}
    assert all(len(restored.audio(id, key_id=None).bytes) == 50_000 for id in found)
    restored.close()


def test_nothing_is_overwritten_and_nothing_else_is_restored(migrated_file, tmp_path) -> None:
    url = f"sqlite:///{migrated_file}"
    there = tmp_path / "there.db"
    there.write_bytes(b"mine")
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as foreign:
        foreign.execute("CREATE TABLE other (id)")
    damaged = tmp_path / "damaged.db"
    content = bytearray(migrated_file.read_bytes())
    content[4096:12288] = bytes(8192)
    damaged.write_bytes(content)
    new = f"sqlite:///{tmp_path / 'new.db'}"
    for arguments in (
        ("backup", there, "--database", url),
        ("backup", tmp_path / "out.db", "--database", f"sqlite:///{tmp_path / 'none.db'}"),
        ("backup", tmp_path / "no folder" / "out.db", "--database", url),
        ("backup", tmp_path / "out.db", "--database", "postgresql://a@127.0.0.1/b"),
        ("restore", migrated_file, "--database", url),
        ("restore", tmp_path / "none.db", "--database", new),
        ("restore", tmp_path / "foreign.db", "--database", new),
        ("restore", there, "--database", new),
        ("restore", damaged, "--database", new),
    ):
        refused = run(*arguments)
        assert refused.exit_code == 2, (arguments, refused.output)
    assert there.read_bytes() == b"mine"
    names = {"there.db", "foreign.db", "damaged.db"}
    assert {path.name for path in tmp_path.iterdir()} == names
