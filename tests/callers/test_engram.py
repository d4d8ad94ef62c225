"""The worked example of docs/integrating-a-component.md, run as it stands there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.callers.provider import provider
from tests.daemon_process import Daemon

PAGE = Path(__file__).parents[2] / "docs" / "integrating-a-component.md"


@pytest.fixture(autouse=True)
def _surroundings(daemon: Daemon, monkeypatch: pytest.MonkeyPatch, queue: Path) -> Iterator[None]:
    """A program that has been told where things are, as on any machine of Tekton."""
    with provider() as (url, _):
        monkeypatch.setenv("BUDGET_DATA_DIR", str(daemon.data_dir))
        monkeypatch.setenv("XDG_STATE_HOME", str(queue))
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "x")
        for name in ("BUDGET_URL", "BUDGET_SOCKET", "BUDGET_TOKEN", "BUDGET_TOKEN_FILE"):
            monkeypatch.delenv(name, raising=False)
        yield


def test_engrams_memory_is_under_the_budget(
    daemon: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    *example, refused = blocks
    names: dict[str, object] = {"__name__": "engram"}
    exec("\n".join(example), names)

    entries = daemon.get("/entries?component=engram&limit=1000").body["items"]
    booked = [entry["body"] for entry in entries if entry["kind"] in ("settled", "overrun")]
    assert [body["model"] for body in booked] == [
        *["gpt-4o"] * 7, "text-embedding-3-small", "text-embedding-3-small", "gpt-4o-mini",
    ]  # fmt: skip
    embeddings = [body for body in booked if body["task_type"] == "embedding"]
    assert [body["context_id"] for body in embeddings] == ["session-7", "session-7"]
    assert capsys.readouterr().out == "yes\n"
    (allocation,) = daemon.get("/allocations?component=engram").body["items"]
    assert (allocation["status"], allocation["spent"]["tokens"]) == ("released", 2000)

    policy = {"name": "engram-daily", "limit": {"usd": "0.000000001"}, "period": "daily"}
    daemon.post("/policies", policy)
    exec("memory = Memory('session-8')\n" + refused, names)
    assert capsys.readouterr().out.startswith("engram-daily 0.0000000")
    for name in ("budget", "provider"):
        names[name].close()  # type: ignore[attr-defined]
