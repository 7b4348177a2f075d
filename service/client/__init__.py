"""A Python client of the service, which needs httpx and pydantic alone.

from nativeear import Client

with Client("http://127.0.0.1:8000", key="nek_…") as client:
    result = client.assess("me.wav", text="I think so.")
    print(result.score.overall)

`AsyncClient` has the same methods for programs that use asyncio.
"""

from nativeear.scoring.assessment import Assessment, PhoneAssessment, Scores, WordAssessment
from nativeear.service.client.asynchronous.client import AsyncClient
from nativeear.service.client.client import AssessmentOptions, Client
from nativeear.service.client.connection import ProblemError
from nativeear.service.client.sending import Recording
from nativeear.service.client.streaming import FinishedWord
from nativeear.speech.errors import NativeEarError

__all__ = [
    "Assessment",
    "AssessmentOptions",
    "AsyncClient",
    "Client",
    "FinishedWord",
    "NativeEarError",
    "PhoneAssessment",
    "ProblemError",
    "Recording",
    "Scores",
    "WordAssessment",
]
