"""Jobs through `kill -9` and a database that goes away; `benchmarks.service` does more of it."""

import shutil
from datetime import datetime, timezone
from pathlib import Path

from sqlalchemy import update

from nativeear.service.database.connection import open_engine
from nativeear.service.database.tables import JobRow
from tests.service.api.conftest import PROMPT, TEXT
from tests.service.api.test_outage import file_away
from tests.service.database.conftest import migrated_file  # noqa: F401  (a fixture)
from tests.support.surviving import Trial, survive

LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)


def test_every_job_ends_once_though_services_are_killed_and_the_database_goes_away(
    tmp_path: Path,
    migrated_file: Path,  # noqa: F811
) -> None:
    """It takes some seconds: a service that is killed has to be started again."""
    file = tmp_path / "service.db"
    shutil.copy(migrated_file, file)
    url = f"sqlite:///{file}"

    def let_a_minute_pass() -> None:
        engine = open_engine(url)
        with engine.begin() as connection:
            connection.execute(update(JobRow).values(leased_until=LONG_AGO))
        engine.dispose()

    trial = Trial(
        database=url,
        away=lambda: file_away(file),
        jobs=5,
        kills=1,
        outages=1,
        away_s=1.0,
        killed=let_a_minute_pass,
    )
    survived = survive(tmp_path, trial, PROMPT.read_bytes(), TEXT)
    assert survived.is_whole(trial.jobs), survived
    assert (survived.kills, survived.outages) == (1, 1)
