"""Symptoms of prose that is not idiomatic stay rare. Reading aloud is the real test."""

import re

import pytest

from .reading import ROOT, all_sources

pytestmark = pytest.mark.xdist_group("sources")  # in the process that has read them

MOST = {
    r"\bwhere\b": 1.2,
    r"\b(?:whoever|nobody|somebody|anew)\b": 0.3,
    r"\bthe one (?:that|who|of)\b|\bones\b": 0.5,
    r"\bwhat\b": 3.0,
}
"""Patterns, and how often they may occur in 1,000 words."""

LEAST_IF = 4.0
"""How often *if* has to occur in 1,000 words: conditions are stated as such."""

FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(params=["comments and docstrings", "README and CHANGELOG"])
def prose(request: pytest.FixtureRequest) -> str:
    """The texts, without code."""
    if request.param == "comments and docstrings":
        return "\n".join(text for source in all_sources() for text in source.prose)
    return "\n".join(FENCED.sub("", (ROOT / name).read_text()) for name in ("README.md", "CHANGELOG.md"))


def rate(pattern: str, text: str) -> float:
    """How often a pattern occurs in 1,000 words."""
    return 1000 * len(re.findall(pattern, text, re.IGNORECASE)) / len(re.findall(r"[A-Za-z']+", text))


def test_words_of_translations_are_rare(prose: str) -> None:
    found = {pattern: rate(pattern, prose) for pattern in MOST}
    assert {pattern: each for pattern, each in found.items() if each > MOST[pattern]} == {}


def test_conditions_begin_with_if(prose: str) -> None:
    assert rate(r"\bif\b", prose) >= LEAST_IF


def test_a_rate_is_per_thousand_words() -> None:
    assert rate(r"\bwhat\b", "What is, is " + "word " * 97) == 10
