"""What is read from the store for whoever asks."""

from typing import Any, assert_never

from actors.ports import Store
from protocols.alerts import ListAlerts, ShowAlert
from protocols.errors import NotFound
from protocols.events import ListEvents, ReadEvents
from protocols.imports import FindImported, FindImportRows, ListImports
from protocols.journal import FindProvisional, FoldBookings, FoldKeys, FoldPast, ListEntries
from protocols.ledger import ListAllocations, ListReservations
from protocols.message import Call, Caller
from protocols.reports import ShowReport

Look = (
    ListEntries | ListReservations | ListAllocations | FindProvisional | FoldBookings | FoldPast
    | FoldKeys
    | ListEvents | ReadEvents | ListAlerts | ShowAlert | ShowReport
    | FindImported | FindImportRows | ListImports
)  # fmt: skip


async def look_up(store: Store, ask: Look, now_ms: int, call: Call[Any]) -> None:
    """Raises a refusal, or `StorageFailed` when the store cannot be read."""
    match ask:
        case ListEntries():
            call.answer(await store.list_entries(ask))
        case ListReservations() | ListAllocations():
            call.answer(await store.list_holds(ask))
        case ShowReport():
            call.answer(await store.show_report(ask, now_ms))
        case FindProvisional():
            call.answer(await store.provisional(ask))
        case FoldBookings() | FoldPast() | FoldKeys():
            await _fold(store, ask)
            call.answer(True)  # noqa: FBT003  # there is nothing to hand back
        case FindImported() | FindImportRows() | ListImports():
            call.answer(await _imports(store, ask))
        case ListEvents():
            call.answer(await store.list_events(ask))
        case ReadEvents():
            call.answer(await store.read_events(ask))
        case ListAlerts() | ShowAlert():
            call.answer(await _alerts(store, ask, call.caller))
        case _:
            assert_never(ask)


async def _fold(store: Store, ask: FoldBookings | FoldPast | FoldKeys) -> None:
    if isinstance(ask, FoldPast):
        await store.fold_past(ask)
    elif isinstance(ask, FoldKeys):
        await store.fold_keys(ask)
    else:
        await store.fold_bookings(ask)


async def _imports(store: Store, ask: FindImported | FindImportRows | ListImports) -> object:
    match ask:
        case FindImported():
            return await store.imported(ask)
        case FindImportRows():
            return await store.import_rows(ask)
        case ListImports():
            return await store.list_imports(ask)


async def _alerts(store: Store, ask: ListAlerts | ShowAlert, caller: Caller) -> object:
    """Another component's alert looks like one that never was."""
    if isinstance(ask, ListAlerts):
        return await store.list_alerts(ask)
    alert = await store.find_alert(ask.alert_id)
    if alert is None or not (alert.component == "" or caller.may_act_for(alert.component)):
        raise NotFound(f"there is no alert {ask.alert_id}", hint="see `budget alerts`")
    return alert
