"""A few of the uploads of `benchmarks.abuse`, which has thousands and worse."""

import httpx

from nativeear.service.client import Client
from tests.support.bad_uploads import PROMPT, bad_uploads, sent
from tests.support.served import Served


def test_what_nobody_should_send_is_refused_in_plain_words(served: Served) -> None:
    uploads = list(bad_uploads(55, PROMPT.read_bytes(), seed=1))
    assert len({upload.kind for upload in uploads}) == 11
    answers = [(upload.kind, *sent(served, upload)) for upload in uploads]
    assert [answer for answer in answers if answer[2]] == []
    with Client(served.url) as client:
        client.indexes()
    assert "Traceback" not in served.log.read_text(encoding="utf-8")
    assert not list((served.folder / "temporary").glob("nativeear*"))


def test_methods_that_nobody_knows_are_counted_together(served: Served) -> None:
    for number in range(5):
        assert httpx.request(f"ODD{number}", f"{served.url}/healthz").status_code == 405
    figures = httpx.get(f"{served.url}/metrics").text
    assert "ODD" not in figures
    assert 'requests_total{method="other",route="other",status="405"} 5.0' in figures
