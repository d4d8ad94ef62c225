"""Routing against a model of its own: whatever the prices, abilities, policies and figures are.

What may be taken is worked out again by brute force, from the policies as they are written.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from actors.ledger.routing import unnamed
from actors.policy.choose import choose, weighed
from actors.policy.decide import judge
from actors.policy.state import EngineState, StoredPolicy
from actors.policy.world import World
from actors.routing.router import Errand, Plan, Router
from actors.routing.router import World as RouterWorld
from actors.routing.shown import routed
from actors.time import LedgerTime
from protocols.policy.charge import Subject
from protocols.policy.choice import Choose, Chosen, Option
from protocols.policy.policy import Policy
from protocols.prices import PriceBook, PriceVersion
from protocols.routing.abilities import CAPABILITIES, Abilities, AbilityTable
from protocols.routing.rule import RouteRule
from protocols.routing.words import ORDERS
from protocols.tiers import DEFAULT
from protocols.wanted import Job
from tests.harness.clock import FakeClock

NOW_MS = 1_767_225_600_000
TODAY = date(2026, 1, 1)
MODELS = tuple((p, f"{p[0]}{n}") for p in ("openai", "anthropic") for n in range(5))
LOCAL = ("ollama", "llama3")
NEEDS = CAPABILITIES[:2]
AXES = ("usd", "tokens", "calls")


@dataclass
class Scene:
    """Everything that decides."""

    rates: dict[tuple[str, str], tuple[int, int]]
    abilities: dict[tuple[str, str], Abilities]
    policies: list[Policy]
    spent: list[tuple[tuple[str, str], int]]
    job: Job
    asked: tuple[str, str] | None
    rule: RouteRule
    max_usd: int | None = None


ABLE = Abilities(1_000, 1_000, frozenset(NEEDS))
abilities = st.builds(
    Abilities,
    window=st.sampled_from((1_000, 120, None)),
    output_max=st.sampled_from((1_000, None, 20)),
    can=st.sampled_from((frozenset(NEEDS), frozenset(NEEDS[:1]), None)),
    retires=st.sampled_from((None, TODAY + timedelta(days=1), TODAY)),
)


@st.composite
def policies(draw: st.DrawFn) -> list[Policy]:
    made = []
    for number in range(draw(st.integers(1, 5))):
        match = draw(
            st.sampled_from(({"provider": "openai"}, {"model": "*0"}, {"model": "o1"}, {}))
        )
        axis = draw(st.sampled_from(("usd", "usd", *AXES)))
        limit: Any = draw(st.sampled_from((0, 1, 2) if axis == "calls" else (60, 150, 300, 600)))
        enforce = draw(st.sampled_from(("soft", "hard", "hard", "warn")))
        override = None
        if enforce == "hard" and draw(st.booleans()):
            override = {"priority": 9, "usd": "0.0001", "tokens": 100, "calls": 1}
        made.append(
            Policy.model_validate(
                {
                    "name": f"p{number}", "match": match, "enforce": enforce,
                    "period": draw(st.sampled_from(("total", "total", "daily"))),
                    "each": draw(st.sampled_from((None, None, "model", "component"))),
                    "limit": {axis: f"0.{limit:06d}" if axis == "usd" else limit},
                    "on_limit": draw(st.sampled_from(("deny", "downgrade"))),
                    "unpriced": "envelope", "override": override,
                }
            )
        )  # fmt: skip
    return made


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    rate = st.sampled_from((8, 5, 2, 2, 1))
    return Scene(
        rates={name: (draw(rate), draw(rate)) for name in MODELS},
        abilities={
            name: draw(abilities) if draw(st.integers(0, 3)) == 3 else ABLE
            for name in (*MODELS, LOCAL)
        },
        policies=draw(policies()),
        spent=draw(st.lists(st.tuples(st.sampled_from(MODELS), st.integers(0, 100)), max_size=3)),
        job=Job.model_validate(
            {
                "component": "me",
                "input_tokens": draw(st.sampled_from((0, 10, 100))),
                "max_output_tokens": draw(st.sampled_from((1, 30))),
                "needs": draw(st.sampled_from(([], [], [NEEDS[0]], list(NEEDS)))),
                "priority": draw(st.sampled_from((9, 8, 1))),
            }
        ),
        asked=draw(st.sampled_from((*MODELS, None))),
        rule=RouteRule.model_validate(
            {
                "name": "r", "candidates": draw(st.permutations(("openai/*", "anthropic/*"))),
                "local": ("ollama/llama3",), "order": draw(st.sampled_from(ORDERS)),
            }
        ),
        max_usd=draw(st.sampled_from((None, None, 200_000))),
    )  # fmt: skip


def book(scene: Scene) -> PriceBook:
    versions = [
        PriceVersion(
            f"{provider}/{model}@1", provider, model,
            {"input": Decimal(read), "output": Decimal(write)},
        )
        for (provider, model), (read, write) in scene.rates.items()
    ]  # fmt: skip
    return PriceBook(versions, "2026-01-01").with_free(["ollama"])


def world(scene: Scene) -> World:
    kept = [StoredPolicy(p, 1, n + 1, "me", 0) for n, p in enumerate(scene.policies)]
    made = World(
        LedgerTime(FakeClock(NOW_MS)), book(scene), DEFAULT,
        EngineState(kept, next_window=len(kept) + 1),
    )  # fmt: skip
    for (provider, model), amount in scene.spent:
        subject = Subject("me", provider, model, "remote_heavyweight", "default")
        for rule, _, counter in made.rules.seats(subject, NOW_MS):
            if not counter.id:
                made.rules.open(rule, counter, made.number())
            for axis, used in enumerate((amount * 1_000, amount, 1)):
                counter.use(axis, used)
    return made


def decided(scene: Scene) -> tuple[Plan, Chosen, Option | None]:
    router = Router(AbilityTable(scene.abilities), [scene.rule])
    provider, model = scene.asked or (None, None)
    errand = Errand(scene.job, provider, model, None, scene.max_usd)
    plan = router.plan(errand, RouterWorld(book(scene), DEFAULT, None, NOW_MS))
    place, weighings = choose(world(scene), asking(scene, plan))
    return (
        plan,
        Chosen(place, weighings, None, None),
        None if place is None else plan.options[place],
    )


def asking(scene: Scene, plan: Plan) -> Choose:
    return Choose(unnamed("", scene.job), plan.options, take=True, shown=1_000, memo=None)


def usd_of(name: tuple[str, str], scene: Scene) -> int:
    """Nano-dollars: a dollar for a million tokens is a thousand nano-dollars a token."""
    if name == LOCAL:
        return 0
    read, write = scene.rates[name]
    return 1_000 * (
        read * (scene.job.input_tokens or 0) + write * (scene.job.max_output_tokens or 0)
    )


def within(name: tuple[str, str], scene: Scene, *, strictly: bool) -> bool:
    """Brute force: may this model be held, by every policy? `strictly`: below every limit."""
    asked = {
        "usd": usd_of(name, scene), "calls": 1,
        "tokens": (scene.job.input_tokens or 0) + (scene.job.max_output_tokens or 0),
    }  # fmt: skip
    for policy in scene.policies:
        if policy.enforce == "warn" or not fits_match(policy, name):
            continue
        spent = [
            amount for other, amount in scene.spent
            if fits_match(policy, other) and (policy.each != "model" or other == name)
        ]  # fmt: skip
        used = {"usd": 1_000 * sum(spent), "tokens": sum(spent), "calls": len(spent)}
        for axis in AXES:
            limit = getattr(policy.limit, axis)
            if limit is None or not asked[axis]:
                continue
            cap = limit
            if not strictly and policy.enforce == "soft" and scene.job.priority >= 8:
                continue
            if not strictly and policy.override and scene.job.priority >= policy.override.priority:
                cap += getattr(policy.override, axis)
            if used[axis] + asked[axis] > cap:
                return False
    return True


def fits_match(policy: Policy, name: tuple[str, str]) -> bool:
    provider, model = name
    return all(
        pattern is None or fnmatchcase(value, pattern)
        for value, pattern in ((provider, policy.match.provider), (model, policy.match.model))
    )


def able(name: tuple[str, str], scene: Scene) -> bool:
    """Brute force: whether this model can do the job, asked for or not."""
    can, job = scene.abilities[name], scene.job
    read, write = job.input_tokens or 0, job.max_output_tokens or 0
    asked = name == scene.asked
    if scene.max_usd is not None and usd_of(name, scene) > scene.max_usd:
        return False
    if can.output_max is not None and can.window is not None and write > can.output_max:
        return False
    if asked:
        lacks = can.can is not None and not set(job.needs) <= can.can
        return not lacks and (can.window is None or read <= can.window)
    return (
        can.window is not None
        and read + write <= can.window
        and (not job.needs or (can.can is not None and set(job.needs) <= can.can))
        and (can.retires is None or can.retires > TODAY)
    )


def possible(scene: Scene) -> list[tuple[str, str]]:
    """Every model that could be taken."""
    names = [name for name in (*MODELS, LOCAL) if able(name, scene)]
    if scene.asked in names:
        like = usd_of(scene.asked, scene)
        names = [name for name in names if usd_of(name, scene) <= like]
    return names


@settings(max_examples=250)
@given(scenes())
def test_what_is_taken_can_do_the_job_and_has_room_and_nothing_better_was_passed_over(
    scene: Scene,
) -> None:
    plan, _, taken = decided(scene)
    names = possible(scene)
    inside = [name for name in names if within(name, scene, strictly=True)]
    beyond = [name for name in names if within(name, scene, strictly=False)]
    note(f"inside {inside}, beyond {beyond}")

    assert (taken is None) == (not beyond)
    if taken is None:
        return
    name = taken.offer.kind[:2]
    assert name in (inside or beyond)
    pool = inside or beyond
    if scene.rule.order == "cheapest":
        assert usd_of(name, scene) == min(usd_of(other, scene) for other in pool)
    elif scene.asked in pool:
        assert name == scene.asked
    if scene.asked in names:
        assert usd_of(name, scene) <= usd_of(scene.asked, scene)
    order = [one.offer.kind[:2] for one in plan.options]
    assert name == min(pool, key=order.index)


@settings(max_examples=250)
@given(scenes())
def test_the_nearest_is_of_the_same_provider_and_a_local_model_comes_last(scene: Scene) -> None:
    _, _, taken = decided(scene)
    names = possible(scene)
    pool = [name for name in names if within(name, scene, strictly=True)] or [
        name for name in names if within(name, scene, strictly=False)
    ]
    if taken is None or scene.rule.order != "nearest" or scene.asked not in names:
        return
    kin = [name for name in pool if name[0] == scene.asked[0]]
    if kin:
        assert taken.offer.kind[0] == scene.asked[0]
        assert usd_of(taken.offer.kind[:2], scene) == max(
            usd_of(name, scene) for name in kin if scene.asked not in pool or name == scene.asked
        )
    assert taken.offer.kind[0] != LOCAL[0] or all(name == LOCAL for name in pool)


@given(scenes())
def test_each_candidate_is_weighed_as_if_it_were_the_only_one(scene: Scene) -> None:
    plan, found, _ = decided(scene)
    for place, weighing in enumerate(found.weighings):
        alone = weighed(world(scene), asking(scene, plan).admit(place))
        assert (weighing.verdict, weighing.left) == (alone.verdict, alone.left)
        told = weighing.detail if weighing.error is None else weighing.error.detail
        assert told == ("" if alone.error is None else alone.error.detail)


@settings(max_examples=250)
@given(scenes())
def test_those_that_can_do_it_are_all_there_with_their_cost_and_in_order(scene: Scene) -> None:
    plan, _, _ = decided(scene)
    names = possible(scene)
    patterns = [pattern.partition("/")[0] for pattern in scene.rule.candidates]
    like = scene.asked if scene.asked in names else None

    def key(name: tuple[str, str]) -> tuple[Any, ...]:
        usd, asked, local = usd_of(name, scene), name == scene.asked, name == LOCAL
        listed = 0 if asked or local else patterns.index(name[0])
        stranger = like is not None and name[0] != like[0]
        match scene.rule.order:
            case "cheapest":
                return usd, not asked, listed, name
            case "listed":
                return not asked, local, listed, usd, name
            case "nearest":
                place = listed if stranger or like is None else 0
                return not asked, local, stranger, place, -usd if like else usd, listed, name

    found = [(one.offer.kind[:2], one.usd) for one in plan.options]
    assert found == [(name, usd_of(name, scene)) for name in sorted(names, key=key)]


@settings(max_examples=250)
@given(scenes())
def test_every_candidate_is_shown_with_its_reason_and_the_answer_is_the_same_again(
    scene: Scene,
) -> None:
    plan, found, taken = decided(scene)
    reply = routed(plan, found, 1_000)

    assert reply == routed(*decided(scene)[:2], 1_000)
    assert reply.candidates_total == len(MODELS) + 1
    for row in reply.candidates:
        assert (row.verdict == "refused") == (row.reason is not None)
        assert row.detail
    shown = [row for row in reply.candidates if row.verdict == "taken"]
    assert [(row.provider, row.model) for row in shown] == (
        [] if taken is None else [taken.offer.kind[:2]]
    )
    assert (reply.outcome == "refused") == (taken is None)
    ranks = [row.verdict == "refused" for row in reply.candidates]
    assert ranks == sorted(ranks)


@settings(max_examples=250)
@given(scenes())
def test_a_downgrade_is_asked_for_only_if_every_limit_that_stops_the_call_asks_for_it(
    scene: Scene,
) -> None:
    name = scene.asked or MODELS[0]
    made = world(scene)
    subject = Subject("me", *name, "remote_heavyweight", "default")
    amounts = (usd_of(name, scene), 100, 1)
    pairs = [(seat.rule, seat.meter) for seat in made.rules.seats(subject, NOW_MS)]
    verdict = judge(pairs, amounts, scene.job.priority)  # type: ignore[arg-type]
    stopping = [
        rule.policy.on_limit
        for rule, meter in pairs
        if judge([(rule, meter)], amounts, scene.job.priority).refusal  # type: ignore[arg-type]
    ]

    assert verdict.downgrade == (bool(stopping) and set(stopping) == {"downgrade"})
