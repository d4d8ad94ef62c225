"""The assistant as an organ: built from `[assistant]` and from the proposals there are."""

from actors.assistant.assistant import NAME, Assistant
from actors.assistant.talk import Bounds
from actors.runtime import Ref
from actors.spine import Builder
from actors.supervision import Child
from daemon.assistant.desk import OwnDesk
from daemon.assistant.openai_model import OpenAIModel
from daemon.assistant.patience import Patient
from daemon.config import Settings


def assistant(settings: Settings, builder: Builder) -> Child:
    chosen = settings.assistant
    bounds = Bounds(chosen.time_s, chosen.output_tokens, chosen.turns)
    model = None
    if chosen.model is not None and chosen.payee is not None:
        model = OpenAIModel(chosen.payee, chosen.model, chosen.base_url, chosen.key_file)

    async def start() -> Ref:
        kept = await builder.store.proposals()
        desk = OwnDesk(Patient(builder.ask))
        return Assistant.start(builder.roster.tell, builder.time, desk, model, bounds, kept)

    return Child(NAME, start)
