"""What every part of a result is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """Does not change once it is made, and knows no field beside its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")
