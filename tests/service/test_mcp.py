"""`nativeear mcp`, asked as a language model's client asks it: over standard input and output."""

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from nativeear.scoring.assessment import Assessment
from nativeear.service.told_briefly import explanation, summary
from nativeear.speech.errors import InputError
from tests.support.served import ROOT

PROMPT = ROOT / "service" / "data" / "vm-msgsaved.flac"
TEXT = "Your message has been saved."


async def conversation() -> dict[str, Any]:
    from mcp.client.client import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    command = StdioServerParameters(
        command=sys.executable, args=["-m", "nativeear", "mcp"], cwd=ROOT
    )
    told: dict[str, Any] = {}
    async with Client(stdio_client(command)) as client:
        told["tools"] = (await client.list_tools()).tools
        heard = await client.call_tool("assess", {"audio": str(PROMPT), "text": TEXT, "l1": "es"})
        told["assess"] = heard
        id = heard.structured_content["id"]
        told["explain"] = await client.call_tool("explain", {"id": id})
        told["word"] = await client.call_tool("explain", {"id": id, "word": 1})
        told["practise"] = await client.call_tool("practise", {"language": "en-US"})
        told["phone"] = await client.call_tool("practise", {"phone": "θ"})
        told["of the result"] = await client.call_tool("practise", {"id": id})
        told["nothing"] = await client.call_tool("assess", {"audio": str(PROMPT)})
        told["no file"] = await client.call_tool("assess", {"audio": "/no/such.wav", "text": TEXT})
        told["no result"] = await client.call_tool("explain", {"id": "none"})
    return told


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    pytest.importorskip("mcp", reason="mcp is not installed")
    return asyncio.run(conversation())


def test_requests_that_are_piped_in_are_all_answered() -> None:
    """The input ends long before the recording is assessed."""
    pytest.importorskip("mcp", reason="mcp is not installed")
    told = {"protocolVersion": "2025-03-26", "capabilities": {}}
    told |= {"clientInfo": {"name": "pipe", "version": "1"}}
    call = {"name": "assess", "arguments": {"audio": str(PROMPT), "text": TEXT}}
    asked: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": told},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
        {"id": "three", "method": "tools/call", "params": call},
        {"id": 4, "method": "no/such"},
    ]
    lines = [json.dumps({"jsonrpc": "2.0", **one}) for one in asked]
    done = subprocess.run(
        [sys.executable, "-m", "nativeear", "mcp"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    answers = {one["id"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert answers[1]["result"]["serverInfo"]["name"] == "nativeear"
    assert [tool["name"] for tool in answers[2]["result"]["tools"]] == [
        "assess", "explain", "practise",
    ]  # fmt: skip
    words = answers["three"]["result"]["structuredContent"]["words"]
    assert [word["word"] for word in words] == TEXT.rstrip(".").split()
    assert answers[4]["error"]["code"] == -32601


def test_every_tool_says_what_it_takes(told: dict[str, Any]) -> None:
    assert [tool.name for tool in told["tools"]] == ["assess", "explain", "practise"]
    for tool in told["tools"]:
        assert tool.description
        assert all(field["description"] for field in tool.input_schema["properties"].values())


def test_a_recording_is_assessed(told: dict[str, Any]) -> None:
    assert not told["assess"].is_error
    result = told["assess"].structured_content
    assert [word["word"] for word in result["words"]] == TEXT.rstrip(".").split()
    assert 0 <= result["score"]["overall"] <= 100
    assert len(told["assess"].content[0].text) < 4000  # a model reads all of it


def test_a_result_is_explained(told: dict[str, Any]) -> None:
    assert told["explain"].content[0].text
    lines = told["word"].content[0].text.splitlines()
    assert all(line.startswith("message: ") for line in lines)
    assert any("/m/" in line and "nearest natives" in line for line in lines)


def test_sentences_are_there_to_practise(told: dict[str, Any]) -> None:
    assert "th" in {one["id"] for one in told["practise"].structured_content["sets"]}
    found = told["phone"].structured_content
    assert found["phones"] == ["TH"]
    times = [sentence["times"] for sentence in found["sentences"]]
    assert times == sorted(times, reverse=True)
    assert min(times) > 0
    assert "th" in found["sentences"][0]["text"].lower()
    assert "phones" in told["of the result"].structured_content


def test_what_goes_wrong_is_told_in_words(told: dict[str, Any]) -> None:
    for asked, said in (
        ("nothing", "Give one of them."),
        ("no file", "/no/such.wav"),
        ("no result", "Call assess"),
    ):
        assert told[asked].is_error
        assert said in told[asked].content[0].text


def test_an_explanation_names_what_needs_work_alone(assessment: Assessment) -> None:
    lines = explanation(assessment).splitlines()
    assert lines[0].startswith("think: /θ/ another sound was heard; score 4 of 100; 96 % likely")
    assert "sounds like /s/ 81 %; nearest natives: /S/ in “sink”" in lines[0]
    assert not [line for line in lines if line.startswith("I:")]
    assert explanation(assessment, 0) == (
        "I: /aɪ/ as natives say it; score 91 of 100; 9 % likely mispronounced."
    )
    with pytest.raises(InputError, match="There is no word 3"):
        explanation(assessment, 3)
    assert "phones" not in summary(assessment)["words"][0]


def test_what_was_left_out_or_is_another_text_is_said(slipped: Assessment) -> None:
    assert "think: was left out." in explanation(slipped).splitlines()
    reading = slipped.reading.model_copy(update={"matches": False})  # type: ignore[union-attr]
    other = slipped.model_copy(update={"reading": reading, "warnings": ("It is another text.",)})
    assert explanation(other) == "It is another text."
