"""The words a model reads about an operation, written for models and by hand.

A row of the table without such words is no tool: a model does better with a dozen tools that
say when to use them than with every route of an API.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tool:
    """How one operation shows itself to a model."""

    name: str
    title: str
    text: str
    destructive: bool = False
    """It can take something away or overwrite it."""
    repeatable: bool = False
    """Asking again with the same arguments changes nothing more."""
    outside: bool = False
    """It speaks with a service outside the daemon."""
    question: str | None = None
    """What a person is asked before it is done; fields of the request stand in braces."""
    of_admins: bool = False
    """Listed for administrators only, whoever may call it: those who spend have no use for it."""


RESERVE = Tool(
    "budget_reserve",
    "Hold budget for a call",
    "Call this before a model call that costs money. Holds the most it can cost in every limit "
    "that applies, or is refused by all of them and holds nothing. A refusal says which limit, "
    "what is left, when it resets, what would fit and which cheaper models would be allowed. "
    "Give input_tokens and max_output_tokens if you know them. Afterwards call budget_settle "
    "with the usage; an unused hold ends by itself after ttl_s seconds.",
)
SETTLE = Tool(
    "budget_settle",
    "Book what a held call used",
    "Call this after the model call that was held with budget_reserve. Pass the provider's usage "
    "object as it came. It is booked in full even if it is more than was held.",
)
RECORD = Tool(
    "budget_record",
    "Book usage without a hold",
    "Books a model call that was made without budget_reserve. Pass the provider's usage object "
    "as it came. Never refused because of a limit: it has happened.",
)
CHECK = Tool(
    "budget_check",
    "Would this call be allowed?",
    "Asks whether a call would be allowed now and what it would hold, without holding anything. "
    "If not, the answer names the limit, what is left and when it resets. To be sure of the "
    "money, use budget_reserve: what is free now may be taken a moment later.",
)
EXPLAIN = Tool(
    "budget_explain",
    "Why would this call be allowed or not?",
    "Goes through every limit that was looked at for a call: which match, which do not and why, "
    "their figures, and the smallest change that would allow the call. Holds nothing.",
)
ROUTE = Tool(
    "budget_route",
    "Which model may do this job?",
    "Chooses a model for a job among all candidates: one that is known to be able to do it and for "
    "which every limit has room. Give the model you would like, or none, and what the job needs "
    "(tools, vision …). The answer says why each candidate was taken or refused. With hold = true "
    "the model that was taken is held at once, as budget_reserve does; settle it afterwards.",
)
REPLAY = Tool(
    "budget_replay",
    "What would this policy have done?",
    "Decides the past again with draft policies, prices or routes: which calls would have been "
    "refused or served by another model, when, whose, and what it would have cost. Nothing is "
    "changed. Use it before proposing a limit.",
    repeatable=True,
)
STATUS = Tool(
    "budget_status",
    "What is left of each budget",
    "Limit, used, held and left of every limit that is open now, and when it resets. Name a "
    "component to see only what applies to it.",
)
REPORT = Tool(
    "budget_report",
    "What was spent, by whom and on what",
    "Sums of dollars, tokens, calls and refusals over a span such as this_month or last_7_days. "
    "group_by tells apart components, models, policies, budgets or tags (tag.team); every cuts by "
    "hour, day, week or month; compare sets the span before beside it. For what is left of a "
    "limit, use budget_status.",
)
PRICE = Tool(
    "budget_price",
    "What a model costs",
    "The price in force for a model of a provider, rate by rate in USD for a million tokens, "
    "with its date and source.",
)
SET_POLICY = Tool(
    "budget_set_policy",
    "Make or replace a limit",
    "Makes a limit, or replaces the one of that name. Only for administrators, and a person is "
    "asked to confirm it. Name the policy, its period and at least one of limit.usd, "
    "limit.tokens, limit.calls.",
    destructive=True,
    repeatable=True,
    question="Set the policy {name}: {limit} per {period}, enforced {enforce}?",
)
REMOVE_POLICY = Tool(
    "budget_remove_policy",
    "Take a limit away",
    "Takes a limit away. Only for administrators, and a person is asked to confirm it. What was "
    "booked stays in the journal.",
    destructive=True,
    repeatable=True,
    question="Take the policy {name} away?",
)
RECOMMEND = Tool(
    "budget_recommend",
    "Which models could do this work?",
    "Models that are known to be able to do a described work, the cheapest first, with what a call "
    "and a month of 30 days would cost, and what that saves against the model in use. Give the "
    "tokens of one call and the calls a day. To choose a model for one call now, use budget_route.",
)
ASK = Tool(
    "budget_ask",
    "Ask the assistant about the spending",
    "Asks the daemon's own assistant a question in words: where the money goes, what is wasted, "
    "which cheaper model would do, which limit would make sense. It looks with read operations "
    "and quotes them; what it would change comes back as proposals for a person. May take a "
    "minute, and costs the assistant's own budget. For a single figure use the other tools.",
    outside=True,
)
PROPOSALS = Tool(
    "budget_proposals",
    "What the assistant has proposed",
    "Proposals of the daemon's assistant, the newest first: the operation, why, what it would "
    "change, and what it would have done to the calls of the last days. status is open, applied or "
    "dismissed.",
    of_admins=True,
)
PROPOSAL = Tool(
    "budget_proposal",
    "One proposal as it stands",
    "One proposal by its id: what it would change, field by field, what that would have done, and "
    "whether somebody has applied or dismissed it. Look at it before budget_apply_proposal.",
    of_admins=True,
)
DISMISS_PROPOSAL = Tool(
    "budget_dismiss_proposal",
    "Put a proposal aside",
    "Puts a proposal of the assistant aside for good; it can no longer be applied. Only for "
    "administrators, and a person is asked to confirm it.",
    destructive=True,
    question="Put the proposal {proposal_id} aside for good?",
)
APPLY_PROPOSAL = Tool(
    "budget_apply_proposal",
    "Apply what the assistant proposed",
    "Does what a proposal of the assistant says, as you. Only for administrators, and a person is "
    "asked to confirm it. Refused if what it changes was changed since.",
    destructive=True,
    question="Apply the proposal {proposal_id}? `budget proposals show` has what it changes.",
)
