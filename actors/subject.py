"""The facts of a call as an entry has them."""

from typing import Any

from protocols.policy.charge import Subject


def subject_body(subject: Subject) -> dict[str, Any]:
    body: dict[str, Any] = {
        "provider": subject.provider,
        "model": subject.model,
        "tier": subject.tier,
        "task_type": subject.task_type,
    }
    if subject.context_id is not None:
        body["context_id"] = subject.context_id
    if subject.tags:
        body["tags"] = dict(subject.tags)
    return body


def read_subject(component: str, body: dict[str, Any]) -> Subject:
    return Subject(
        component,
        body["provider"],
        body["model"],
        body["tier"],
        body["task_type"],
        body.get("context_id"),
        tuple(sorted(body.get("tags", {}).items())),
    )
