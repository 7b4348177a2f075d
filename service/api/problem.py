"""A problem as the service tells it and its client reads it."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field

CLIENT_GONE = 499  # nobody reads it: the number that servers log for a client that left


class Problem(BaseModel):
    """A problem in the shape of RFC 9457, with what lies behind it and what to do about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:nativeear:problem:no-pronunciation",
                "title": "Unprocessable content",
                "status": 422,
                "detail": 'No pronunciation is known for "qqq".',
                "cause": "Asked: lexicon, cmudict, espeak, for en-US.",
                "fix": "Give it in a lexicon, or give the phones of the text.",
                "instance": "/v1/assessments",
            }
        }
    )

    type: str = Field(description="Kind of problem, stable over releases.")
    title: str = Field(description="The kind in a few words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What went wrong, in one plain sentence.")
    cause: str = Field("", description="What lies behind it; may be empty.")
    fix: str = Field("", description="What can be done about it; may be empty.")
    instance: str = Field("", description="The path that was asked.")
    request_id: str = Field("", description="Number of the request, also in the log.")

    @classmethod
    def of(
        cls,
        code: str,
        status: int,
        detail: str,
        *,
        cause: str = "",
        fix: str = "",
        instance: str = "",
    ) -> Problem:
        """A problem of the kind that `code` names, titled as HTTP titles its status."""
        return cls(
            type=f"urn:nativeear:problem:{code}",
            title=title_of(status),
            status=status,
            detail=detail,
            cause=cause,
            fix=fix,
            instance=instance,
        )


def title_of(status: int) -> str:
    """What HTTP calls a status."""
    if status == CLIENT_GONE:
        return "Client closed request"
    return HTTPStatus(status).phrase.capitalize()
