"""Who is told when work has ended."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Response

from nativeear.service.api.authentication import Assessing, KeyedRouter
from nativeear.service.api.problems import refusals, refusals_of_body
from nativeear.service.api.state import ServiceDep
from nativeear.service.api.webhook_sending import check_url
from nativeear.service.api.work_models import (
    WebhookCreated,
    WebhookItem,
    WebhookList,
    WebhookRequest,
)

router = KeyedRouter(prefix="/v1/webhooks", tags=["webhooks"])

Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a webhook.")]


@router.post(
    "",
    summary="Have an address told",
    status_code=201,
    response_model=WebhookCreated,
    responses=refusals_of_body(409),
)
def create_webhook(asked: WebhookRequest, service: ServiceDep, caller: Assessing) -> Any:
    """Tell an address when a job or a batch of this key has ended; its secret is shown once."""
    check_url(asked.url, service.settings.webhook_networks)
    return WebhookCreated.model_validate(service.store.insert_webhook(asked.url, caller.key_id))


@router.get(
    "",
    summary="List webhooks",
    response_model=WebhookList,
    responses=refusals(),
)
def webhooks(service: ServiceDep, caller: Assessing) -> Any:
    """The addresses that are told of the work of this key."""
    found = service.store.list_webhooks(key_id=caller.sees)
    return WebhookList(items=tuple(map(WebhookItem.model_validate, found)))


@router.delete(
    "/{id}",
    summary="Tell an address no more",
    status_code=204,
    response_class=Response,
    responses=refusals(404),
)
def delete_webhook(id: Id, service: ServiceDep, caller: Assessing) -> Response:
    """Forget an address, and what it was not told yet."""
    service.store.delete_webhook(id, key_id=caller.sees)
    return Response(status_code=204)
