import json
from pathlib import Path

from typer.testing import CliRunner

from nativeear.service.cli import app

TABLE = """InventoryID,Glottocode,ISO6393,LanguageName,Phoneme,Source
2,malt1254,mlt,Maltese,t,spa
"""


def test_a_table_is_imported(tmp_path: Path) -> None:
    source, out = tmp_path / "phoible.csv", tmp_path / "more.csv"
    source.write_text(TABLE, encoding="utf-8")
    result = CliRunner().invoke(
        app, ["inventory", "import", str(source), "--out", str(out), "--json"]
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"out": str(out), "languages": 1}
    assert "Maltese,t" in out.read_text(encoding="utf-8")


def test_another_table_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "phoible.csv"
    source.write_text("a,b\n", encoding="utf-8")
    out = tmp_path / "more.csv"
    result = CliRunner().invoke(app, ["inventory", "import", str(source), "--out", str(out)])
    assert result.exit_code == 2
    assert "lacks the columns" in result.stderr
    assert not out.exists()
