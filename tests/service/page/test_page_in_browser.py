"""The page of a running service in headless Chromium, whose microphone hears a packaged prompt."""

import io
import json
import re
from importlib.resources import files
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.feedback.sentences import sentence
from nativeear.service.demo import PROMPT
from nativeear.service.report.spectrogram import spectrogram_db
from nativeear.speech.audio import SAMPLE_RATE, Audio
from tests.support.page import (
    PATIENCE_MS,
    PHONE,
    PROMPT_FILE,
    complaints_of_axe,
    focused,
    focused_class,
    say_prompt,
    send_file,
    tab_to,
    teacher_of,
    tell,
    until,
    wait_for_result,
    write,
)
from tests.support.served import serving

TEXTS = Path(str(files("nativeear.service"))) / "page" / "texts"
SLIPS = (  # a recording, and a text that it is nearly of
    PROMPT_FILE.with_name("auth-incorrect.flac"),
    "Password incorrect. Please enter your password swallowed by the sound tree.",
)
TREMOR_MS = 700


def test_a_spoken_sentence_comes_back_in_colours_by_one_press(page):
    say_prompt(page)
    words = page.locator(".sentence .word")
    assert words.count() == 13
    assert int(page.inner_text(".overall b")) >= 75
    assert page.evaluate("document.activeElement.tagName") == "H2"
    letters = page.evaluate(
        "[...document.querySelectorAll('.word .text')].map((word) => word.textContent)"
    )
    assert " ".join(letters).replace("~", "").lower().startswith("thank you please")
    assert page.locator(".word .letters").count() > words.count()  # letter by letter

    words.nth(4).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_selector(".chip")
    assert page.locator(".word[aria-expanded=true] .text").inner_text() == "hold"
    assert page.locator(".chip").count() == 4
    assert page.locator(".sounds .mouth").count() == 1
    assert "as in" in page.inner_text(".sounds .told")
    page.click(".sounds summary")
    assert "exemplars of the phone" in page.inner_text(".numbers dl")
    assert "[object" not in page.inner_text("main")
    page.wait_for_selector(".turn .play")
    turn = page.locator(".turn .play").first
    turn.click()
    page.wait_for_selector(".turn .play.playing")
    turn.click()
    assert page.locator(".playing").count() == 0

    page.click(".measured > summary")
    page.wait_for_selector(".timeline", timeout=PATIENCE_MS)
    page.locator(".lane .sound").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector(".sound.playing")
    assert page.locator(".spectrogram").evaluate("(canvas) => canvas.width") > 1000
    assert page.locator(".melody .own").count() > 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert complaints_of_axe(page) == []


def test_every_row_to_listen_to_has_buttons_and_natives_are_natives(page):
    say_prompt(page)
    page.click(".word >> nth=1")
    page.wait_for_selector(".turn .play")
    rows = page.locator(".listening li")
    assert rows.count() >= 2
    for row in rows.all():
        assert row.locator("button").count() == 2
    assert rows.first.inner_text().startswith("You")
    assert "Native speaker Allison" in rows.nth(1).inner_text()


def test_sounds_can_be_written_in_simple_spelling(page):
    say_prompt(page)
    page.click(".word >> nth=3")
    page.wait_for_selector(".chip")
    assert "oʊ" in page.inner_text(".chips")
    page.click(".switch")
    page.wait_for_selector(".switch[aria-checked=true]")
    assert focused_class(page) == "quiet switch"
    assert "oh" in page.inner_text(".chips")
    assert "oʊ" not in page.inner_text(".chips")


def test_reload_and_back_keep_what_was_on_the_screen(page):
    say_prompt(page)
    page.click(".word >> nth=1")
    page.wait_for_selector(".chip")
    page.click("#to-progress")
    page.wait_for_selector("#progress .card")
    page.go_back()
    page.wait_for_selector(".word[aria-expanded=true]")
    page.reload()
    page.wait_for_selector(".word[aria-expanded=true]")
    assert page.locator(".sentence .word").count() == 13
    assert page.locator(".hearing button").count() >= 1  # one's own recording is still there
    page.go_back()
    page.wait_for_selector("#stage:visible")
    assert "Please hold" in page.text_content("#target")


def test_a_word_is_said_again_and_leads_back(page):
    page.click("#next")
    until(page, "document.getElementById('target').textContent.includes('again later')")
    say_prompt(page)
    page.click(".word >> nth=3")
    page.click("text=Say this word")
    page.wait_for_selector("#speak.on")
    assert page.text_content("#target").strip().startswith("hold")
    assert focused(page) == "speak"
    page.wait_for_timeout(1000)
    page.keyboard.press("Enter")
    wait_for_result(page)
    page.click("text=Back to the sentence")
    page.wait_for_selector("#stage:visible")
    assert "again later" in page.text_content("#target")


def test_the_result_is_of_what_was_spoken_whatever_is_chosen_meanwhile(page):
    hold_back(page)
    send_file(page, PROMPT_FILE)
    page.wait_for_selector("#speak.waiting")
    page.click("#other")
    page.select_option("#set", "own")
    page.fill("#text", "Something else altogether.")
    page.click("#take-text")
    page.evaluate("window.letGo()")
    wait_for_result(page)
    assert page.locator(".sentence .word").count() == 13


def test_waiting_is_shown_and_can_be_cancelled(page):
    hold_back(page)
    send_file(page, PROMPT_FILE)
    page.wait_for_selector("#speak.waiting")
    assert page.locator("#progress-bar").is_visible()
    assert page.get_by_role("button", name="Cancel", exact=True).count() == 1
    assert complaints_of_axe(page) == []
    page.wait_for_timeout(TREMOR_MS)
    page.keyboard.press("Escape")
    until(page, "document.getElementById('status').textContent.startsWith('Cancelled')")
    assert page.inner_text("#speak .label") == "Speak"
    assert page.locator("#progress-bar").is_hidden()


def test_what_went_better_than_last_time_is_told(page):
    send_file(page, PROMPT_FILE)
    wait_for_result(page)
    assert page.locator(".better").count() == 0
    page.go_back()
    page.wait_for_selector("#stage:visible")
    page.set_input_files("#file", PROMPT_FILE)
    page.wait_for_selector(".better", timeout=PATIENCE_MS)
    assert re.match(r"Last time it was \d+\.", page.inner_text(".better"))


def test_silence_is_told_and_nothing_sent(page, url):
    page.evaluate("""() => {
      const silent = new AudioContext().createMediaStreamDestination().stream;
      navigator.mediaDevices.getUserMedia = async () => silent;
    }""")
    page.click("#speak")
    page.wait_for_selector("#status.trouble", timeout=PATIENCE_MS)
    assert "Nothing was heard" in page.text_content("#status")
    assert page.inner_text("#speak .label") == "Speak"


def test_words_light_up_while_they_are_spoken(page):
    write(page, PROMPT[1])
    page.click("#speak")
    page.wait_for_selector(".said.heard", timeout=PATIENCE_MS)
    assert page.locator("#result .first:visible").count() == 0
    wait_for_result(page)


def test_the_service_begins_in_a_silence_and_gets_no_more_of_it(page):
    sent = []

    def note(frame):  # Playwright cannot listen by a built-in method
        sent.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    say_prompt(page)
    assert any(isinstance(frame, bytes) for frame in sent)
    assert sent[-2:] == ['{"pause":true}', '{"end":true}']


def test_the_device_speaks_where_no_native_does_and_is_called_a_computer(browser, url):
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    context.add_init_script("""
      const voices = [
        { lang: "en-US", name: "Elsewhere", localService: false },
        { lang: "en-GB", name: "Here", localService: true },
      ];
      window.spoken = [];
      Object.defineProperty(window, "speechSynthesis", { value: {
        getVoices: () => voices, addEventListener() {}, cancel() {},
        speak: (what) => window.spoken.push([what.text, what.rate, what.voice.name]),
      } });
      window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
    """)
    page = context.new_page()
    page.goto(url + "#say/own/" + "Xylophones%20are%20loud.")
    page.wait_for_selector("#model button")
    assert "computer" in page.inner_text("#model .who")
    page.click("#model button >> nth=1")
    page.click(".say >> nth=0")
    text, rate, voice = page.evaluate("window.spoken")[0]
    assert (text, voice) == ("Xylophones are loud.", "Here")  # never a voice from elsewhere
    assert rate < 1
    context.close()


def test_a_take_waits_until_the_service_is_back(browser, url):
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#model button")
    said = "/v1/indexes/en-US/model?text=Thank%20you%20for%20your%20patience."
    until(page, f"caches.match('{said}').then(Boolean)")
    context.set_offline(True)
    page.reload()  # the shell and what is to be said are there
    page.wait_for_selector("#model button")
    page.set_input_files("#file", PROMPT_FILE)
    until(page, "document.getElementById('status').textContent.includes('waits in this browser')")
    refused, sent = [], []
    away = "**/v1/assessments"  # behind a proxy that is back before the service is
    context.route(away, lambda way: (refused.append(way), way.fulfill(status=504)))
    context.on("request", lambda asked: sent.append(asked) if asked.method == "POST" else None)
    context.set_offline(False)
    while not refused:
        page.wait_for_timeout(50)
    page.wait_for_timeout(500)
    context.unroute(away)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    until(page, "document.getElementById('status').textContent.includes('was sent')")
    page.click("#to-practice")
    wait_for_result(page)
    assert "another sentence" in page.inner_text("#result")
    names = {asked.headers["idempotency-key"] for asked in sent if "/assessments" in asked.url}
    assert len(sent) > 1 and len(names) == 1  # so that it is heard once
    context.close()


@pytest.mark.parametrize("refusing", ["get", "set"])
def test_a_browser_that_remembers_nothing_is_no_hindrance(browser, url, refusing):
    context = browser.new_context()
    context.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(
             window, name, { get() { throw new DOMException("refused", "SecurityError"); } });"""
        if refusing == "get"
        else """Storage.prototype.setItem = () => {
             throw new DOMException("full", "QuotaExceededError"); };"""
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#model button")
    send_file(page, PROMPT_FILE)
    wait_for_result(page)
    context.close()


def test_a_file_without_a_text_is_told_what_is_missing(page):
    page.evaluate("location.hash = '#say/own/'")
    until(page, "document.getElementById('speak').disabled")
    page.set_input_files("#file", PROMPT_FILE)
    until(page, "document.getElementById('status').textContent.startsWith('Choose what you want')")


def test_320_pixels_are_enough(browser, url):
    context = browser.new_context(viewport={"width": 320, "height": 568}, color_scheme="dark")
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#model button")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    send_file(page, PROMPT_FILE)
    wait_for_result(page)
    page.click(".word >> nth=1")
    page.wait_for_selector(".turn .play")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert complaints_of_axe(page) == []
    context.close()


@pytest.mark.parametrize("tag", ["de-AT", "ru", "zh-TW"])
def test_the_page_and_its_advice_speak_the_browsers_language(browser, url, tag):
    language = tag[:2]
    texts = json.loads((TEXTS / f"{language}.json").read_text("utf-8"))
    context = browser.new_context(locale=tag, viewport={"width": 320, "height": 568})
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#model button")
    assert page.get_attribute("html", "lang") == language
    assert page.inner_text("#to-practice") == texts["nav.practice"]
    send_file(page, SLIPS[0], SLIPS[1])
    wait_for_result(page)
    asked = f"{url}v1/assessments/{page.evaluate('location.hash').rpartition('/')[2]}"
    remarks = Assessment.model_validate(httpx.get(asked).json()).remarks
    assert remarks
    shown = page.locator(".advice .told > p:first-of-type").all_inner_texts()
    assert shown == [sentence(remark.advice, language) for remark in remarks]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.click("#you")
    assert page.input_value("#learner [name=language]") == language
    assert page.evaluate("""() => {
      const dialog = document.getElementById("learner");
      return dialog.scrollWidth <= dialog.clientWidth;
    }""")
    context.close()


def test_another_language_can_be_chosen_and_stays(page):
    page.click("#you")
    page.select_option("#learner [name=language]", "fr")
    page.select_option("#learner [name=l1]", "de")
    page.click("#learner button.main")
    page.wait_for_selector("html[lang=fr]")
    page.wait_for_selector("#model button")
    assert page.text_content("#you") == "Qui s’exerce\u00a0: Vous"
    page.reload()
    page.wait_for_selector("#model button")
    page.click("#you")
    chosen = page.locator("#learner [name=l1] option:checked").inner_text()
    assert chosen == "allemand"


def test_a_name_stands_beside_the_views_on_a_phone(page):
    tell(page, name="Ms Adams")
    name, view = (page.locator(which).bounding_box() for which in ("#you", "#to-practice"))
    assert abs(name["y"] - view["y"]) < 2
    you = "document.getElementById('you')"
    assert page.evaluate(f"{you}.scrollWidth <= {you}.clientWidth")


def test_a_page_from_right_to_left_keeps_the_sentence_as_it_is_read(page):
    send_file(page, PROMPT_FILE)
    wait_for_result(page)
    page.evaluate("document.documentElement.dir = 'rtl'")
    first, second = (page.locator(".word").nth(i).bounding_box() for i in range(2))
    assert first["x"] < second["x"]
    brand, you = (page.locator(name).bounding_box() for name in (".brand", "#you"))
    assert you["x"] < brand["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_every_sound_has_a_drawing_of_its_own(page):
    drawn = page.evaluate("""async () => {
      const { mouthOf } = await import("/mouth.js");
      const { soundsOf } = await import("/phones.js");
      return [...(await soundsOf("en-US")).values()].map((sound) => mouthOf(sound).outerHTML);
    }""")
    assert len(drawn) == 39
    assert not [drawing for drawing in drawn if "NaN" in drawing or "undefined" in drawing]
    assert len(set(drawn)) >= 37  # l and d, ʒ and ʃ … differ in what is written of them


def test_silence_ends_a_take_and_clicks_do_not_begin_one(page):
    told = page.evaluate("""async () => {
      const { Endpoint, patience } = await import("/endpoint.js");
      const heard = (levels, patient) => {
        const ear = new Endpoint();
        return levels.map((level) => ear.hear(level, 0.064, patient));
      };
      const rest = (n, level = 0.001) => Array(n).fill(level);
      return {
        said: heard([...rest(5), ...rest(20, 0.1), ...rest(30)], 1.0),
        noisy: heard([...rest(5, 0.02), ...rest(20, 0.2), ...rest(30, 0.02)], 1.0),
        pausing: heard([...rest(5), ...rest(9, 0.1), ...rest(30), ...rest(9, 0.1), ...rest(60)], 2),
        click: heard([...rest(5), 0.3, ...rest(30)], 1.0),
        nobody: heard(rest(140), 1.0).at(-1),
        patience: [patience(0), patience(3), patience(9), patience(null)],
      };
    }""")
    for name in ("said", "noisy"):
        first = told[name].index("ended")
        assert 25 + 14 <= first <= 25 + 17, name
    ended = told["pausing"].index("ended") - 5 - 9 - 30 - 9
    assert ended * 0.064 > 1.3 * 30 * 0.064  # who pauses for long is waited for longer
    assert set(told["click"]) == {"before"}
    assert told["nobody"] == "nobody"
    assert told["patience"] == sorted(told["patience"])


def hold_back(page):
    """Let no result come before `window.letGo` is called."""
    page.evaluate("""() => {
      const ask = window.fetch.bind(window);
      const free = new Promise((done) => { window.letGo = done; });
      window.fetch = async (address, options) => {
        if (options?.method === "POST" && String(address).endsWith("/assessments")) {
          const { signal } = options;
          const given = new Promise((_, up) => {
            signal.addEventListener("abort", () => up(signal.reason));
          });
          await Promise.race([free, given]);
        }
        return ask(address, options);
      };
    }""")


def ask_first(page):
    """Give the microphone only when `window.allow` is called."""
    page.evaluate("""() => {
      const devices = navigator.mediaDevices;
      const open = devices.getUserMedia.bind(devices);
      devices.getUserMedia = async (wanted) => {
        await new Promise((done) => { window.allow = done; });
        window.given = await open(wanted);
        return window.given;
      };
    }""")


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_a_sentence_is_said_by_keys_alone(page, key):
    write(page, PROMPT[1])
    tab_to(page, "speak")
    page.keyboard.press(key)
    page.wait_for_selector("#speak.on")
    assert focused(page) == "speak"
    assert page.get_by_role("button", name="Stop", exact=True).count() == 1
    assert page.text_content("#status").startswith("Recording.")
    page.wait_for_timeout(4500)
    if page.locator("#speak.on").count():
        page.keyboard.press(key)
    page.keyboard.press(key)  # a tremor cancels nothing
    wait_for_result(page)
    assert focused(page) == "H2"
    page.keyboard.press("Tab")
    assert focused_class(page).startswith("word")


def test_presses_while_the_microphone_opens_change_nothing(page):
    ask_first(page)
    page.locator("#speak").focus()
    for _ in range(3):
        page.keyboard.press("Space")
    until(page, "Boolean(window.allow)")
    page.evaluate("window.allow()")
    page.wait_for_selector("#speak.on")
    page.evaluate("for (let i = 0; i < 3; i += 1) document.getElementById('speak').click()")
    page.wait_for_timeout(300)
    assert page.locator("#speak.on").count() == 1
    assert focused(page) == "speak"


def test_a_microphone_that_is_allowed_too_late_stays_shut(page):
    ask_first(page)
    page.locator("#speak").focus()
    page.keyboard.press("Space")
    until(page, "Boolean(window.allow)")
    assert focused(page) == "speak"
    page.click("#to-progress")
    page.evaluate("window.allow()")
    until(page, "window.given?.getTracks().every((track) => track.readyState === 'ended')")
    page.click("#to-practice")
    assert page.locator("#speak.on").count() == 0
    assert page.text_content("#speak .label") == "Speak"


def test_a_refused_microphone_leaves_the_focus_on_the_button(page):
    page.evaluate("""() => {
      const refused = new DOMException("no", "NotAllowedError");
      navigator.mediaDevices.getUserMedia = async () => { throw refused; };
    }""")
    page.locator("#speak").focus()
    page.keyboard.press("Space")
    page.wait_for_selector("#status.trouble")
    assert "not allowed" in page.text_content("#status")
    assert focused(page) == "speak"
    assert page.locator("#speak").is_enabled()


def test_what_is_going_on_is_always_listened_to(page):
    """A region that is hidden while it is empty is told by no screen reader when it fills."""
    until(page, "document.getElementById('status').textContent === ''")
    shown = "getComputedStyle(document.getElementById('status'))"
    assert page.evaluate(f"{shown}.visibility") == "visible"
    assert page.evaluate(f"{shown}.display") != "none"


def test_keys_keep_their_place_in_a_history(page):
    tell(page, name="Ivo", group="4c")
    send_file(page, PROMPT_FILE)
    wait_for_result(page)
    inside = "(view) => document.getElementById(view).contains(document.activeElement)"

    listen = page.locator(".hearing .play").first
    listen.focus()
    page.keyboard.press("Space")
    assert listen.get_attribute("aria-pressed") == "true"
    page.keyboard.press("Space")
    assert listen.get_attribute("aria-pressed") == "false"

    page.evaluate(
        "history.pushState(null, '', '#progress'); dispatchEvent(new Event('hashchange'))"
    )
    until(page, "document.activeElement.id === 'main'")
    page.wait_for_selector("#progress td button")
    page.locator("#progress td button:has-text('Please hold')").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#progress .sentence .word")
    assert focused(page) == "H2"
    page.locator("text=All results").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#progress h2:has-text('Ivo')")
    assert page.evaluate(inside, "progress")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#progress td button:has-text('Delete')").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#progress:has-text('There are no results')")
    assert page.evaluate(inside, "progress")


def test_of_another_text_that_alone_is_told(page):
    send_file(page, PROMPT_FILE, "Tomorrow we shall walk to the river.")
    wait_for_result(page)
    told = page.inner_text("#result")
    assert told.startswith("This is another sentence")
    assert "Tomorrow we shall walk to the river" in told
    assert page.locator("#result").locator(".overall, .word, .legend, details").count() == 0
    assert page.get_by_role("button", name="Say it again").count() == 1
    assert complaints_of_axe(page) == []


def test_free_speech_needs_no_text(page):
    tell(page, name="Eve")
    page.click("#other")
    page.select_option("#set", "free")
    until(page, "document.getElementById('target').textContent === 'Say whatever you like.'")
    page.set_input_files("#file", PROMPT_FILE)
    wait_for_result(page)
    assert page.inner_text("#result h2") == "This is what was heard"
    assert page.locator(".sentence .word").count() >= 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.click("#to-progress")
    page.wait_for_selector("#progress table")
    assert "None yet" in page.inner_text("#progress")
    page.click("#progress td button:has-text('Heard: ')")
    page.wait_for_selector("#progress .sentence .word")


def test_what_it_draws_and_writes_is_what_python_draws_and_reads(page):
    whole, rate = soundfile.read(PROMPT_FILE, dtype="float32")
    assert rate == SAMPLE_RATE
    samples = np.ascontiguousarray(whole[8_000:16_000])
    greys, wav = page.evaluate(
        """async (values) => {
          const { drawSpectrogram } = await import("/spectrogram.js");
          const { wav } = await import("/recorder.js");
          const samples = Float32Array.from(values);
          const canvas = document.createElement("canvas");
          drawSpectrogram(canvas, samples);
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const file = wav(samples, 16000);
          return [
            Array.from(data).filter((_, i) => i % 4 === 0),
            Array.from(new Uint8Array(await file.arrayBuffer())),
          ];
        }""",
        samples.tolist(),
    )
    decibels = spectrogram_db(Audio(samples))[:128]  # without the row of 8 kHz itself
    drawn = np.array(greys).reshape(128, -1)[::-1]
    np.testing.assert_allclose(drawn, -255 * decibels / 60, atol=1)

    read, rate = soundfile.read(io.BytesIO(bytes(wav)), dtype="float32")
    assert rate == SAMPLE_RATE
    np.testing.assert_allclose(read, samples, atol=1 / 32_000)


def test_what_is_no_recording_is_refused_in_plain_words(page, tmp_path):
    path = tmp_path / "note.wav"
    path.write_text("this is no sound")
    page.set_input_files("#file", path)
    page.wait_for_selector("#status.trouble", timeout=PATIENCE_MS)
    told = page.inner_text("#status")
    assert len(told) > 20
    assert "Traceback" not in told
    assert page.locator("#speak").is_enabled()
    assert page.text_content("#speak .label") == "Speak"


def test_words_without_a_pronunciation_are_named(page):
    write(page, "I say 你好 slowly")
    page.wait_for_selector("#unknown:not(:empty)")
    assert "你好" in page.inner_text("#unknown")


def test_how_a_text_is_read_is_shown_before_it_is_said(page):
    page.click("#other")
    page.select_option("#set", "own")
    page.fill("#text", "Henry VIII said xyzzyq")
    page.wait_for_selector("#reading:not(:empty)")
    told = page.inner_text("#reading")
    assert '"VIII" was read as "the eighth"' in told
    assert '"xyzzyq" is in no dictionary' in told
    assert complaints_of_axe(page) == []


def test_natives_are_heard_whole_slowly_and_in_one_word(page):
    assert "Native speaker: Allison" in page.inner_text("#model")
    for which in ("#model button >> nth=0", "#model button >> nth=1", ".say >> nth=0"):
        page.click(which)
        page.wait_for_selector(f"{which.split(' >>')[0]}.playing")
    page.click("#other")
    page.wait_for_selector("#set option[value=heard]", state="attached")
    page.select_option("#set", "heard")
    assert page.locator("#sentences button").count() > 50
    assert complaints_of_axe(page) == []


def test_a_history_is_kept_opened_and_deleted(page):
    tell(page, name="Ana", group="3b")
    say_prompt(page)
    page.click("#to-progress")
    page.wait_for_selector("#progress table")
    assert "1 sentence so far" in page.inner_text("#progress")
    assert "1 sentence today" in page.inner_text("#progress")
    assert "as in" in page.inner_text("#progress table")
    assert page.locator("#progress table").first.locator("tbody tr").count() > 10
    assert complaints_of_axe(page) == []

    page.click("#to-group")
    page.fill("#group-name", "3b")
    page.click("#group-form button")
    page.wait_for_selector("#group table")
    page.click("#group button:has-text('Ana')")
    page.wait_for_selector("#group h2:has-text('Ana')")

    page.click("#to-progress")
    page.click("#progress td button:has-text('Please hold')")
    page.wait_for_selector("#progress .sentence .word")
    assert page.locator("#progress .hearing .play").count() == 0  # it was not kept

    page.click("text=All results")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#progress td button:has-text('Delete')")
    page.wait_for_selector("#progress:has-text('There are no results')")


def test_a_key_is_asked_for_once_where_one_is_needed(browser, tmp_path):
    from nativeear.service.database.keys import NewKey
    from nativeear.service.database.store import Store

    store = Store.open(f"sqlite:///{tmp_path / 'service.db'}")
    try:
        _, secret = store.create_key(NewKey(name="class", scopes=("assess", "read")))
    finally:
        store.close()
    with serving(tmp_path) as served:
        where = served.url
        context = browser.new_context()
        opened = context.new_page()
        opened.goto(where)
        opened.wait_for_selector("#key[open]")
        opened.fill("#secret", "nek_wrong")
        opened.keyboard.press("Enter")
        opened.wait_for_selector("#refused:visible")
        opened.fill("#secret", secret)
        opened.keyboard.press("Enter")
        opened.wait_for_selector("#model button")
        opened.reload()
        opened.wait_for_selector("#model button")
        assert opened.locator("#key[open]").count() == 0
        context.close()


def test_a_class_comes_in_by_a_link_and_goes_again(browser, tmp_path):

    code = teacher_of(tmp_path)
    with serving(tmp_path) as served:
        where = served.url
        teacher = browser.new_context().new_page()
        teacher.goto(where)
        teacher.fill("#secret", "AAAA-BBBB-CCCC-DDDD")
        teacher.keyboard.press("Enter")
        teacher.wait_for_selector("#refused:has-text('not known')")
        teacher.fill("#secret", code.lower())
        teacher.keyboard.press("Enter")
        teacher.wait_for_selector("#you:has-text('Ms Adams')")
        teacher.click("#to-group")
        teacher.fill("#group form input", "3b")
        teacher.keyboard.press("Enter")
        teacher.click(".invites summary")
        teacher.click("text=Make a code for the group")
        link = teacher.inner_text(".slip .address")

        learner = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}).new_page()
        learner.goto(link)
        learner.fill("#called", "Ana")
        learner.keyboard.press("Enter")
        own = learner.inner_text("#welcome[open] .code")
        assert "join" not in learner.url  # the code is in no history
        learner.click("#welcome button")
        learner.wait_for_selector("#model button")
        assert learner.evaluate("document.cookie") == ""  # no script reads it
        say_prompt(learner)
        learner.click("#to-progress")
        learner.wait_for_selector("#progress h2:has-text('Ana')")
        assert learner.locator("#to-group").is_hidden()

        teacher.reload()
        teacher.click("#group table a:has-text('Ana') >> nth=0")
        teacher.wait_for_selector("#group h2:has-text('Ana')")
        assert teacher.locator("#group button:has-text('Delete')").count() == 0

        learner.click("#you")
        learner.wait_for_selector("#who:has-text('learner, in 3b')")
        learner.click("#sign-out")
        learner.wait_for_selector("#key[open]")
        learner.fill("#secret", own)
        learner.keyboard.press("Enter")
        learner.wait_for_selector("#you:has-text('Ana')")
        learner.on("dialog", lambda asked: asked.accept())
        learner.click("#you")
        learner.click("#erase")
        learner.wait_for_selector("#key[open]")
        teacher.context.close()
        learner.context.close()
