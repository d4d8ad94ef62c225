"""Same key and same body: the same answer, in parallel, much later, and after a restart."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.daemon_process import PREFIX, Answer, Daemon, running
from tests.stories.words import CALL, USAGE, balance, limit, made, refused, release, reserve, settle

AT_ONCE = 60


@pytest.mark.anyio
async def test_60_at_once_under_one_key_are_one_hold(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 100})
    answers = await at_once(daemon, "/reservations", CALL | {"component": me}, key="one")

    assert len({answer.raw for answer in answers}) == 1
    assert {answer.status for answer in answers} == {201}
    assert balance(daemon, me)["held"] == 1


@pytest.mark.anyio
async def test_of_60_settles_at_once_one_is_booked(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 100})
    place = f"/reservations/{reserve(daemon, me)['reservation_id']}/settle"
    answers = await at_once(daemon, place, {"usage": USAGE})

    assert sorted(answer.status for answer in answers) == [200] + [409] * (AT_ONCE - 1)
    assert balance(daemon, me) == {"used": 1, "held": 0, "left": 99}


@pytest.mark.anyio
async def test_one_response_reported_60_times_at_once_is_booked_once(
    daemon: Daemon, me: str
) -> None:
    limit(daemon, me, limit={"calls": 100})
    body = {"component": me, "model": "gpt-5", "usage": USAGE, "response_id": "resp_1"}
    answers = await at_once(daemon, "/usage", body)

    assert len({answer.raw for answer in answers}) == 1
    assert balance(daemon, me)["used"] == 1


async def at_once(
    daemon: Daemon, path: str, body: dict[str, Any], key: str | None = None
) -> list[Answer]:
    answers: list[Answer] = []
    headers = {} if key is None else {"Idempotency-Key": key}

    async def ask() -> None:
        async with session.post(PREFIX + path, json=body, headers=headers) as response:
            answers.append(Answer(response.status, response.headers, await response.read()))

    async with daemon.session(connections=AT_ONCE) as session:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for _ in range(AT_ONCE):
                    group.start_soon(ask)
    return answers


def test_a_key_belongs_to_its_body(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 100})
    body = CALL | {"component": me}
    first = daemon.post("/reservations", body, key="mine")

    refused(daemon.post("/reservations", body | {"ttl_s": 5}, key="mine"), 422, "key-reused")
    assert daemon.post("/reservations", body, key="mine").raw == first.raw
    assert balance(daemon, me)["held"] == 1


def test_a_key_belongs_to_its_operation(daemon: Daemon, me: str) -> None:
    body = CALL | {"component": me}
    held = made(daemon.post("/reservations", body, key="same"))
    place = f"/reservations/{held['reservation_id']}"

    settled = daemon.post(f"{place}/settle", {"usage": USAGE}, key="same")
    assert made(settled, 200)["status"] == "settled"
    assert daemon.post(f"{place}/settle", {"usage": USAGE}, key="same").raw == settled.raw
    refused(daemon.post(f"{place}/settle", {"usage": USAGE}, key="another"), 409, "hold-ended")


def test_a_refusal_for_lack_of_budget_stays_the_answer(daemon: Daemon, me: str) -> None:
    limit(daemon, me, limit={"calls": 0})
    body = CALL | {"component": me}
    first = daemon.post("/reservations", body, key="early")
    refused(first, 402, "denied")
    limit(daemon, me, limit={"calls": 1})

    assert daemon.post("/reservations", body, key="early").raw == first.raw
    made(daemon.post("/reservations", body, key="late"))


def test_what_was_not_valid_used_up_no_key(daemon: Daemon, me: str) -> None:
    body = CALL | {"component": me}
    refused(daemon.post("/reservations", body | {"ttl_s": 0}, key="k"), 422, "invalid")

    made(daemon.post("/reservations", body, key="k"))


@pytest.mark.parametrize("ending", [Daemon.kill, Daemon.stop])
def test_keys_survive_a_restart(tmp_path: Path, me: str, ending: Any) -> None:
    with running(tmp_path) as daemon:
        limit(daemon, me, limit={"calls": 4})
        body = CALL | {"component": me}
        ids = [reserve(daemon, me)["reservation_id"] for _ in range(2)]
        asked: list[tuple[str, dict[str, Any], str | None]] = [
            ("/reservations", body, "reserve"),
            (f"/reservations/{ids[0]}/extend", {"usd": "0.1"}, "extend"),
            (f"/reservations/{ids[0]}/settle", {"usage": USAGE}, "settle"),
            (f"/reservations/{ids[1]}/release", {}, "release"),
            ("/allocations", {"component": me, "context_id": "s", "calls": 1}, "allocate"),
            ("/usage", {"component": me, "model": "gpt-5", "usage": USAGE}, "record"),
            (
                "/usage",
                {"component": me, "model": "gpt-5", "usage": USAGE, "response_id": "r"},
                None,
            ),
            ("/reservations", body | {"priority": 1}, "denied"),
        ]
        first = [daemon.post(path, fields, key=key) for path, fields, key in asked]
        assert [answer.status for answer in first] == [201, 200, 200, 200, 201, 201, 201, 402]

        ending(daemon)
        daemon.start()
        again = [daemon.post(path, fields, key=key) for path, fields, key in asked]

        assert [answer.raw for answer in again] == [answer.raw for answer in first]
        for path, fields, key in asked:
            if key is not None:
                other = fields | {"metadata": {"changed": True}} if fields else {"usage": {}}
                assert daemon.post(path, other, key=key).status == 422


def test_a_release_repeated_under_its_key_is_no_second_end(daemon: Daemon, me: str) -> None:
    held = reserve(daemon, me)
    place = f"/reservations/{held['reservation_id']}/release"
    first = daemon.post(place, {}, key="free")

    assert daemon.post(place, {}, key="free").raw == first.raw
    refused(release(daemon, held), 409, "hold-ended")
    refused(settle(daemon, held), 409, "hold-ended")
