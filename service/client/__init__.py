"""A Python client of the service; it blocks, and needs httpx and pydantic alone.

from nativeear import Client

with Client("http://127.0.0.1:8000", key="nek_…") as client:
    result = client.assess("me.wav", text="I think so.")
    print(result.score.overall)
"""

from nativeear.service.client.client import AssessmentOptions, Client, Recording
from nativeear.service.client.connection import ProblemError
from nativeear.service.client.streaming import FinishedWord

__all__ = ["AssessmentOptions", "Client", "FinishedWord", "ProblemError", "Recording"]
