"""The knowledge base that is configured, or a sentence about what is wrong with it."""

from pathlib import Path

from bot.errors import SettingsError
from knowledge_base.answer import KnowledgeBase
from knowledge_base.loader import KnowledgeError


def load(folder: Path | None, *, demonstration: bool) -> KnowledgeBase:
    """The articles of a folder, or those that ship. Raises `SettingsError` naming the file and what is wrong in it."""
    try:
        knowledge = KnowledgeBase.load(folder, demonstration=demonstration)
    except KnowledgeError as error:
        raise SettingsError(f"knowledge base: {error}. Mend the article, or leave knowledge_dir out.") from None
    if folder is not None and not knowledge.articles:
        raise SettingsError(f"knowledge_dir {folder} holds no article (*.md): put some there, or leave it out")
    return knowledge
