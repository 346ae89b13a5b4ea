"""A company's own articles over those that ship: where both would speak, the own one does."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from intents.normalise import normalise
from knowledge_base.model import Article


def layered(shipped: Sequence[Article], own: Sequence[Article]) -> tuple[Article, ...]:
    """All articles that may be told: without those that an own one replaces, or each marked where it is replaced."""
    everywhere = {article.replaces for article in own if article.replaces and not article.communities}
    somewhere: dict[str, set[str]] = defaultdict(set)
    for article in own:
        somewhere[article.replaces].update(article.communities)
    kept = [article for article in shipped if article.id not in everywhere]
    return tuple(_spared(article, somewhere) for article in (*kept, *own))


def _spared(article: Article, somewhere: dict[str, set[str]]) -> Article:
    """The article with the communities in which one of their own stands in for it."""
    name = article.replaces if article.own else article.id
    if article.own and (article.communities or not name):
        return article
    taken = tuple(sorted(somewhere.get(name, ())))
    return msgspec.structs.replace(article, not_in=taken) if taken else article


def beaten(articles: Sequence[Article]) -> dict[int, frozenset[int]]:
    """By number of an article, the own ones that are asked for in the very same words: where one of those may be
    told, it wins."""
    own_of: dict[str, set[int]] = defaultdict(set)
    for number, article in enumerate(articles):
        for line in (article.title, *article.ask) if article.own else ():
            own_of[normalise(line)].add(number)
    found: dict[int, frozenset[int]] = {}
    for number, article in enumerate(articles):
        rivals = {rival for line in (article.title, *article.ask) for rival in own_of.get(normalise(line), ())}
        found[number] = frozenset(rival for rival in rivals - {number} if _wins(articles[rival], article))
    return {number: rivals for number, rivals in found.items() if rivals}


def _wins(own: Article, other: Article) -> bool:
    """An own article over one that ships; that of a community over one of all."""
    return not other.own or bool(own.communities) > bool(other.communities)
