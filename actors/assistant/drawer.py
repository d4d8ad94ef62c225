"""Every proposal, as its entries left it: which may be applied, and by whom it was ended."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from protocols.assistant import FieldChange, ListProposals, Proposal, Proposals
from protocols.errors import NotFound, Overtaken
from protocols.journal import Draft
from protocols.message import Caller


class Drawer:
    """By id, the oldest first. Callers with a scope see what they asked for themselves."""

    def __init__(self, kept: Iterable[dict[str, Any]]) -> None:
        self._proposals = {body["proposal_id"]: _read(body) for body in kept}
        self._ending: set[str] = set()

    def add(self, made: Proposal) -> None:
        self._proposals[made.proposal_id] = made

    def find(self, name: str, caller: Caller) -> Proposal:
        found = self._proposals.get(name)
        if found is None or not _may_see(found, caller):
            raise NotFound(f"there is no proposal {name}", hint="`budget proposals list` shows all")
        return found

    def begin(self, name: str, caller: Caller) -> Proposal:
        """Take an open one up, so that nobody else ends it meanwhile."""
        found = self.find(name, caller)
        if found.status != "open" or name in self._ending:
            how = "being ended" if found.status == "open" else f"{found.status} already"
            raise Overtaken(f"the proposal {name} is {how}", proposal_id=name, status=found.status)
        self._ending.add(name)
        return found

    def give_up(self, name: str) -> None:
        self._ending.discard(name)

    def end(self, ended: Proposal) -> None:
        self._ending.discard(ended.proposal_id)
        self._proposals[ended.proposal_id] = ended

    def page(self, ask: ListProposals, caller: Caller) -> Proposals:
        seen = [
            one for one in reversed(self._proposals.values())
            if _may_see(one, caller) and ask.status in (None, one.status)
        ]  # fmt: skip
        if ask.cursor is not None:
            names = [one.proposal_id for one in seen]
            seen = seen[names.index(ask.cursor) + 1 :] if ask.cursor in names else []
        page = seen[: ask.limit]
        return Proposals(page, page[-1].proposal_id if len(seen) > ask.limit else None)


def draft(proposal: Proposal) -> Draft:
    """Make its entry: the whole of it, as it stands now."""
    kind = "proposed" if proposal.status == "open" else "proposal_ended"
    return Draft(kind, "", proposal.proposal_id, asdict(proposal))


def _may_see(proposal: Proposal, caller: Caller) -> bool:
    return caller.components is None or proposal.asked_by == caller.name


def _read(body: dict[str, Any]) -> Proposal:
    diff = [FieldChange(**change) for change in body["diff"]]
    return Proposal(**(body | {"diff": diff}))
