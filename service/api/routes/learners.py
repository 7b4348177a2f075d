"""Histories of learners, and what a teacher sees of a group."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["learners"])
