"""The assistant: it looks with read operations, pays for its own calls, and only proposes.

`talk` holds the conversation with a model, `rules` answers without one, `proposing` turns what is
to be changed into a proposal with its proof. The actor itself keeps answers and proposals.
"""
