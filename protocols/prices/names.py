"""Provider and model names as the price book compares them: exactly, after spelling is evened out.

Never by prefix or by part of a name: `claude-opus-4-7-fast` costs six times `claude-opus-4-7`.
"""

from functools import lru_cache

NAMES_MAX = 8192

PROVIDERS = {
    "gemini": "google",
    "google-gla": "google",
    "google-ai": "google",
    "vertex-ai": "vertex",
    "google-vertex": "vertex",
    "mistralai": "mistral",
    "mistral-ai": "mistral",
    "x-ai": "xai",
    "moonshotai": "moonshot",
    "z-ai": "zai",
    "togetherai": "together",
    "together-ai": "together",
    "fireworks-ai": "fireworks",
    "amazon-bedrock": "bedrock",
    "bedrock-converse": "bedrock",
    "aws": "bedrock",
    "cohere-chat": "cohere",
    "azure-openai": "azure",
    "voyageai": "voyage",
}
"""Other spellings of a provider's name. `zhipuai` is not `zai`, and `vertex` is not `google`."""

MAKERS = frozenset(
    {
        "ai21",
        "amazon-nova",
        "anthropic",
        "arcee",
        "cohere",
        "deepseek",
        "google",
        "inception",
        "meta",
        "minimax",
        "mistral",
        "moonshot",
        "morph",
        "openai",
        "perplexity",
        "voyage",
        "xai",
        "zai",
    }
)
"""Those who sell their own models: a bare model name means theirs, never a host's."""

_PATHS = ("models/", "accounts/fireworks/models/")
"""What some providers put in front of every model's name."""

_EVENED = str.maketrans("._:@/ ", "------")


def provider_name(name: str) -> str:
    """Spell a provider as the book does: `Gemini` → `google`."""
    spelt = name.lower().replace("_", "-")
    return PROVIDERS.get(spelt, spelt)


@lru_cache(NAMES_MAX)
def model_name(name: str) -> str:
    """One spelling for `Claude-3.5-Sonnet`, `claude-3-5-sonnet` and `models/claude-3_5-sonnet`."""
    return without_path(name.lower()).translate(_EVENED)


def without_path(name: str) -> str:
    """Take off the path some providers put in front of every model."""
    for path in _PATHS:
        name = name.removeprefix(path)
    return name


def without_provider(provider: str, model: str) -> str:
    """`anthropic/claude-opus-4-5` asked of anthropic is `claude-opus-4-5`."""
    first, slash, rest = model.partition("/")
    return rest if slash and provider_name(first) == provider else model
