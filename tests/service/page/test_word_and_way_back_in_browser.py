"""What stands behind a word, and the way back to where one was, in headless Chromium."""

import pytest

from nativeear.service.demo import PROMPT
from tests.support.page import PATIENCE_MS, say_prompt, send_file, until, wait_for_result
from tests.support.page import PROMPT_FILE as FILE
from tests.support.served import ROOT, serving

SLIP = PROMPT[1].replace("hold", "fold")  # what the prompt does not say


def come_to(page, address):
    """Come anew from elsewhere, as by a link in a letter."""
    home = page.url.split("#")[0]
    page.goto("about:blank")
    page.goto(home + address)


def test_a_word_is_written_once_and_its_buttons_tell_who_speaks(page):
    say_prompt(page)
    page.click(".word >> nth=1")
    page.wait_for_selector(".sounds h3 ~ .hearable button")
    assert page.locator(".sounds h3 ~ button.play, .sounds h3 ~ .hearable button").count() == 2
    seen = page.evaluate("""[...document.querySelectorAll('.sounds > .row:first-child .play')]
      .map((button) => button.childNodes[1].textContent.trim())""")
    assert seen == ["You", "Native speaker Allison"]
    told = page.locator(".sounds > .row:first-child .play").all_text_contents()
    assert all("“you”" in text for text in told)


def test_what_a_sound_was_like_is_a_sentence_of_its_own(page):
    send_file(page, FILE, SLIP)
    wait_for_result(page)
    page.click(".word:has-text('fold')")
    page.wait_for_selector(".told .verdict")
    lines = page.locator(".told > p").all_inner_texts()
    like = next(i for i, line in enumerate(lines) if line.startswith("It sounded like"))
    assert lines[like - 1] == "as in five"
    assert lines[like].endswith("as in hat")


def test_a_folded_card_keeps_no_room_for_what_is_in_it(page):
    say_prompt(page)
    page.wait_for_selector(".measured")
    spare = page.evaluate("""(() => {
      const card = document.querySelector(".measured");
      const { paddingTop, paddingBottom } = getComputedStyle(card);
      const summary = card.querySelector("summary").offsetHeight;
      return card.clientHeight - summary - parseFloat(paddingTop) - parseFloat(paddingBottom);
    })()""")
    assert abs(spare) < 2


def test_the_way_back_from_a_word_outlives_a_reload(page):
    page.click("#next")
    until(page, "document.getElementById('target').textContent.includes('again later')")
    send_file(page, FILE, "hold")
    wait_for_result(page)
    page.reload()
    page.wait_for_selector("#result .first", timeout=PATIENCE_MS)
    page.click("text=Back to the sentence")
    page.wait_for_selector("#stage:visible")
    assert "again later" in page.text_content("#target")


def test_what_is_no_result_any_more_is_told_in_ones_own_words(browser, url):
    context = browser.new_context(locale="fr")
    page = context.new_page()
    page.goto(f"{url}#result/{'0' * 32}")
    page.wait_for_selector("#status:has-text('n’y est plus')")
    assert page.get_attribute("#status", "lang") == "fr"
    page.wait_for_selector("#model button")
    context.close()


def test_what_is_hard_to_understand_does_not_look_well_understood(page):
    send_file(page, FILE, SLIP)
    wait_for_result(page)
    told = page.evaluate("""async () => {
      const { showResult } = await import("/result.js");
      const id = location.hash.split("/")[1];
      const found = await (await fetch(`/v1/assessments/${id}`)).json();
      const headline = (overall) => {
        const assessment = { ...found, remarks: [], score: { ...found.score, overall } };
        const take = { assessment, text: "", sound: null };
        return showResult(document.createElement("div"), take, null).textContent;
      };
      return [headline(10), headline(80)];
    }""")
    assert told == ["Hard to understand so far", "Well understood, with an accent"]


def test_a_microphone_that_never_begins_is_given_up(page):
    """As in Firefox on a machine that has nothing to play by."""
    page.evaluate("() => { AudioContext.prototype.resume = () => new Promise(() => {}); }")
    page.click("#speak")
    page.wait_for_selector("#status:has-text('gave no sound')")
    assert page.inner_text("#speak .label") == "Speak"


@pytest.mark.parametrize("name", ["xyz", "..%2F..", "device-0", "%E0%A4%A"])
def test_an_address_that_never_was_a_result_is_told_in_ones_own_words(page, name):
    come_to(page, f"#result/{name}")
    page.wait_for_selector("#status:has-text('not there any more')")
    page.wait_for_selector("#model button")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("#say/own/half%E0%A4%A", "half%E0%A4%A"),
        ("#say/everyday/-5", "Could you tell me the way to the station?"),
        ("#say/everyday/1.5", "I would like a cup of tea, please."),
        ("#constructor", "Thank you for your patience."),
        ("#join=%E0%A4%A", ""),
    ],
)
def test_a_spoilt_address_leads_somewhere(page, address, said):
    come_to(page, address)
    if not said:
        page.wait_for_selector("#key[open]")
        assert page.input_value("#secret") == "%E0%A4%A"
        page.click("#key .quiet")
        said = "Thank you for your patience."
    page.wait_for_selector("#speak:enabled")
    assert page.inner_text("#target").replace("\n", " ") == said
    assert page.inner_text("#status") == ""


def test_the_index_that_was_chosen_outlives_a_reload(browser, tmp_path):
    indexes = tmp_path / "indexes"
    indexes.mkdir()
    for name in ("en-US", "other"):
        (indexes / name).symlink_to(ROOT / "indexes" / "en-US")
    environment = {"NATIVEEAR_INDEXES": str(indexes)}
    with serving(tmp_path, "--index", "other", environment=environment) as served:
        page = browser.new_page()
        page.goto(f"{served.url}/")
        page.wait_for_selector("#model button")
        page.click("#other")
        page.select_option("#index", "other")
        until(page, "!document.getElementById('chooser').open")
        page.reload()
        page.wait_for_selector("#model button")
        page.click("#other")
        assert page.input_value("#index") == "other"
        page.close()
