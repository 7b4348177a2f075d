import json

from typer.testing import CliRunner

from nativeear.service.cli import app
from tests.support.aligned import DATA, PROMPTS


def test_a_recording_is_held_against_two_natives() -> None:
    saved, other, _ = (str(DATA / name) for name, _ in PROMPTS)
    command = ["compare", other, saved, saved, "--encoder", "spectral", "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["different"] > 0.5
    assert told["natives"] == [0.0] or abs(told["natives"][0]) < 1e-6
    assert {"start_s", "end_s", "native_start_s", "native_end_s", "limit"} <= set(
        told["differences"][0]
    )
    assert told["other_words"] in {True, False}
    same = CliRunner().invoke(app, ["compare", saved, saved, saved, "--encoder", "spectral"])
    assert "Nowhere farther" in same.stdout
    assert "other words" not in same.stdout


def test_one_native_is_enough_where_an_index_tells_how_natives_differ() -> None:
    saved, other, _ = (str(DATA / name) for name, _ in PROMPTS)
    for options in ([], ["--index", "en-US"]):
        same = CliRunner().invoke(app, ["compare", saved, saved, *options])
        assert same.exit_code == 0, same.output
        assert "Nowhere farther" in same.stdout
        unlike = CliRunner().invoke(app, ["compare", other, saved, *options])
        assert unlike.exit_code == 0, unlike.output
        assert "These may be other words" in unlike.stdout
        assert "natives there" in unlike.stdout  # it may be an accent, after all
        told = json.loads(
            CliRunner().invoke(app, ["compare", other, saved, *options, "--json"]).stdout
        )
        assert told["different"] > 0.3
        assert told["other_words"]
        assert 0.75 < told["share_of_backwards"] < 1.2
        assert told["natives"] == []
        assert all(
            each["distance"] > each["limit"] > each["natives"] for each in told["differences"]
        )


def test_one_native_is_refused_where_nothing_tells_it() -> None:
    saved = str(DATA / PROMPTS[0][0])
    result = CliRunner().invoke(app, ["compare", saved, saved, "--encoder", "spectral"])
    assert result.exit_code == 2
    assert "second native" in result.stderr
