import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from nativeear.service.database.connection import default_database, open_engine
from nativeear.service.database.errors import StorageError
from nativeear.service.database.store import Store
from nativeear.service.database.tables import Table
from nativeear.speech.errors import InputError


def test_the_steps_lead_to_the_tables(fresh_url) -> None:
    engine = open_engine(fresh_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()


def test_a_database_is_opened_again_with_what_it_holds(fresh_url, new) -> None:
    store = Store.open(fresh_url)
    saved = store.save_assessment(new())
    store.close()
    again = Store.open(fresh_url)
    assert again.assessment(saved.id, key_id=None) == saved
    again.close()


def test_a_database_of_a_newer_release_is_refused(fresh_url) -> None:
    engine = open_engine(fresh_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StorageError, match="another release"):
        Store.open(fresh_url)


def test_services_that_start_at_once_do_not_disturb_each_other(fresh_url) -> None:
    code = f"from nativeear.service.database.store import Store; Store.open({fresh_url!r}).ping()"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=60)[1] for process in started] == ["", ""]


@pytest.mark.parametrize(
    "wrong", ["", "x", "sqlite://", "sqlite:///:memory:", "mysql://a/b", "sqlite:///file:x?a=b"]
)
def test_what_is_no_database_is_refused(wrong) -> None:
    with pytest.raises(InputError):
        open_engine(wrong)


def test_the_database_is_a_file_of_the_user(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("NATIVEEAR_DATABASE", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    store = Store.open(default_database())
    file = tmp_path / "nativeear" / "service.db"
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    store.close()
    monkeypatch.setenv("NATIVEEAR_DATABASE", "sqlite:///elsewhere.db")
    assert default_database() == "sqlite:///elsewhere.db"
