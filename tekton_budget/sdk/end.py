"""Ending the hold of a call whose answer is there: the answer is never lost over it."""

import logging

from tekton_budget.errors import BudgetError, Invalid
from tekton_budget.hold import AsyncHold, Hold

log = logging.getLogger("tekton_budget")

NOT_UNDERSTOOD = "usage is not understood, the call is booked as held: %s"
NOT_BOOKED = "a call could not be booked: %s"


def settle(hold: Hold, answer: object) -> None:
    try:
        try:
            hold.settle(answer)
        except Invalid as error:
            log.warning(NOT_UNDERSTOOD, error)
            hold.settle()
    except BudgetError as error:
        log.error(NOT_BOOKED, error)  # noqa: TRY400  # it says all there is to say


async def settle_async(hold: AsyncHold, answer: object) -> None:
    try:
        try:
            await hold.settle(answer)
        except Invalid as error:
            log.warning(NOT_UNDERSTOOD, error)
            await hold.settle()
    except BudgetError as error:
        log.error(NOT_BOOKED, error)  # noqa: TRY400  # it says all there is to say
