from __future__ import annotations

from nativeear.service.api.problems import BusyError, NotThereError, problem_of
from nativeear.service.database.errors import StorageError


def test_where_the_service_keeps_its_files_is_not_told() -> None:
    error = BusyError(
        "The database /srv/ear/data/service.db was removed.",
        cause="The index '/srv/ear/indexes/en-US' is damaged.",
        fix="See https://example.org/a/b and /openapi.json.",
    )
    problem = problem_of(error)
    assert problem.detail == "The database service.db was removed."
    assert problem.cause == "The index 'en-US' is damaged."
    assert problem.fix == "See https://example.org/a/b and /openapi.json."


def test_where_the_database_is_is_not_told() -> None:
    error = StorageError(
        "The database does not answer.",
        cause='connection to server at "10.1.2.3", port 5432 failed: no password for user "ear"',
        fix="See that it runs and can be reached, and try again.",
    )
    problem = problem_of(error)
    assert problem.detail == "The database does not answer."
    assert problem.cause == ""


def test_what_the_client_asked_for_is_told_as_it_was() -> None:
    assert problem_of(NotThereError("Nothing is at /v1/no/such.")).detail.endswith("/v1/no/such.")
