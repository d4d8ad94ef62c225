"""What makes a refusal cheap says what the plain way says: every model tried, every count tried."""

from decimal import Decimal
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from actors.policy import remedy
from actors.policy.bench import Benches
from actors.policy.decide import judge, room
from actors.policy.rule import UNLIMITED
from protocols.costing import cost
from protocols.errors import Unpriced
from protocols.money import round_up
from protocols.period import Window
from protocols.policy.charge import Amounts, Subject
from protocols.prices import LongContext, PriceBook, PriceVersion, Tariff
from protocols.prices.ladder import RIVALS_MAX
from protocols.prices.version import Hours
from protocols.usage import Usage
from tests.properties.test_routing import LOCAL, MODELS, NOW_MS, Scene, scenes, world

NIGHT = Hours(0, 360, Tariff({"input": Decimal(1), "output": Decimal(9)}))
LONG = LongContext(50, {"input": Decimal(3), "output": Decimal(4)})
rates = st.sampled_from([Decimal(text) for text in ("0", "0.5", "1", "1", "2.0000001", "7")])


class Offered(NamedTuple):
    """Prices of one provider, what is asked, and the room there is."""

    versions: list[PriceVersion]
    usage: Usage
    room_usd: int


@st.composite
def offers(draw: st.DrawFn) -> Offered:
    count = draw(st.sampled_from((1, 3, 8, RIVALS_MAX * 2)))
    versions = []
    for number in range(count):
        kinds = draw(st.sampled_from((("input", "output"),) * 4 + (("input",), ("output",))))
        versions.append(
            PriceVersion(
                f"p/m{number}@1", "p", f"m{number}", {kind: draw(rates) for kind in kinds},
                long_context=draw(st.sampled_from((None, None, LONG))),
                hours=draw(st.sampled_from(((), (), (NIGHT,)))),
                chat=draw(st.integers(0, 5)) > 0,
                free=draw(st.integers(0, 5)) == 0,
            )
        )  # fmt: skip
    tokens = st.sampled_from((0, 1, 30, 51, 1_000))
    usage = Usage({"input": draw(tokens), "output": draw(tokens)})
    return Offered(versions, usage, draw(st.sampled_from((0, 20_000, 600_000, UNLIMITED))))


def priced(version: PriceVersion, usage: Usage) -> Decimal | None:
    try:
        return cost(usage, version).exact_usd
    except Unpriced:
        return None


def roughly(version: PriceVersion, usage: Usage) -> Decimal:
    read, written = (version.rates.get(kind, Decimal(0)) for kind in ("input", "output"))
    return (usage.counts["input"] * read + usage.counts["output"] * written) / 1_000_000


def plainly(offered: Offered, than: PriceVersion) -> list[tuple[int, str]]:
    """The nearest by their rough price; of those what is cheaper and within the room."""
    versions, usage, room_usd = offered
    most = priced(than, usage)
    assert most is not None
    reach = most if room_usd == UNLIMITED else min(most, Decimal(room_usd).scaleb(-9))
    by_name = sorted(versions, key=lambda version: version.model)
    near = [v for v in by_name if v.chat and roughly(v, usage) <= reach]
    near.sort(key=lambda version: roughly(version, usage), reverse=True)
    exact = [(priced(version, usage), version.model) for version in near[:RIVALS_MAX]]
    fit = [(usd, model) for usd, model in exact if usd is not None and usd < most]
    fit = [(usd, model) for usd, model in fit if usd <= reach]
    return [(round_up(usd), model) for usd, model in sorted(fit, key=lambda p: (-p[0], p[1]))]


@given(offers())
def test_the_ladder_names_what_pricing_every_model_names(offered: Offered) -> None:
    than = offered.versions[0]
    if priced(than, offered.usage) is None:
        return
    book = PriceBook(offered.versions, "2026-01-01")
    ladder = book.below(offered.usage, than)

    for room_usd in (offered.room_usd, UNLIMITED, offered.room_usd):
        found = ladder.within(None if room_usd == UNLIMITED else room_usd)  # type: ignore[arg-type]
        plain = plainly(offered._replace(room_usd=room_usd), than)
        assert [(usd, version.model) for usd, version in found] == plain


@given(offers(), st.sampled_from((0, 40, 900, UNLIMITED)), st.integers(0, 1))
def test_what_would_fit_is_the_most_that_does(offered: Offered, tokens: int, calls: int) -> None:
    (version, *_), usage, room_usd = offered
    if priced(version, usage) is None:
        return
    left = Amounts(room_usd, tokens, calls)

    def fits(output: int) -> bool:
        smaller = Usage({**usage.counts, "output": output})
        usd = priced(version, smaller)
        assert usd is not None
        return smaller.tokens <= tokens and (room_usd == UNLIMITED or round_up(usd) <= room_usd)

    outputs = range(usage.counts["output"], 0, -1)
    most = next((output for output in outputs if fits(output)), None) if calls else None
    found = remedy.fits(left, usage, version)
    assert found == (None if most is None else {"max_output_tokens": most})


@given(scenes(), st.sampled_from((0, 1, 90_000, 400_000)), st.sampled_from((0, 1, 130)))
def test_a_bench_says_what_judging_each_call_says(scene: Scene, usd: int, tokens: int) -> None:
    made = world(scene)
    amounts, priority = Amounts(usd, tokens, 1), scene.job.priority
    asked = Subject("me", "", "", "", "default")
    benches = Benches(made.rules, asked, priority, NOW_MS)
    for provider, model in (*MODELS, LOCAL):
        subject = Subject("me", provider, model, "remote_heavyweight", "default")
        pairs = [(seat.rule, seat.meter) for seat in made.rules.seats(subject, NOW_MS)]
        verdict = judge(pairs, amounts, priority)
        bench = benches.of((provider, model, "remote_heavyweight"))
        refusal = bench.refusal(amounts)

        assert bench.left == room(pairs, priority)
        if verdict.refusal is None:
            assert refusal is None
            assert bench.past(amounts) == verdict.past
        else:
            assert refusal is not None
            assert (refusal.rule, refusal.axis) == (verdict.refusal.rule, verdict.refusal.axis)
            assert window(refusal.meter) == window(verdict.refusal.meter)


def window(meter: object) -> Window:
    found: Window = meter.window  # type: ignore[attr-defined]
    return found
