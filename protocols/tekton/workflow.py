"""`POST /workflow`: Tekton asks every component for work. We keep accounts and have none."""

from typing import Any

from protocols.errors import Malformed
from protocols.tekton.component import NAMES

FIELDS = ("purpose", "dest", "payload")


def answer(message: dict[str, Any]) -> dict[str, Any]:
    """As Tekton's own endpoint answers. Raises Malformed when a part is missing."""
    missing = [name for name in FIELDS if name not in message]
    if missing:
        raise Malformed(f"Missing required fields: {missing}")
    purpose, dest, payload = (message[name] for name in FIELDS)
    if dest not in NAMES:
        text = f"Message dest '{dest}' does not match component '{NAMES[0]}'"
        return {"status": "error", "message": text, "component": NAMES[0]}
    told = {"component": dest, "purpose": purpose}
    action = payload.get("action") if isinstance(payload, dict) else None
    if (purpose, action) != ("check_work", "look_for_work"):
        text = f"Purpose '{purpose}' not yet implemented on {dest}"
        return {"status": "not_implemented", **told, "message": text}
    none: dict[str, Any] = {"work_available": False, "work_count": 0, "work_items": []}
    return {"status": "success", **told, **none, "message": f"Checked for work on {dest}"}
