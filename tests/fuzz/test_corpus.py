"""The inputs that fuzzing has found worth keeping, replayed without atheris: `make fuzz` looks for more.

A target that reads in pieces compares the whole with one byte at a time and seven at a time by itself.
"""

from pathlib import Path

import pytest

from .targets import TARGETS

CORPUS = Path(__file__).with_name("corpus")
LARGEST = 1_000_000


def inputs(name):
    return sorted((CORPUS / name).iterdir())


@pytest.mark.filterwarnings("ignore:The .* cookie is too large")
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_gets_through(name):
    files = inputs(name)
    assert files
    for file in files:
        data = file.read_bytes()
        try:
            TARGETS[name].run(data)
        except Exception as error:
            error.add_note(f"with the input {file.relative_to(CORPUS)}: {data!r}")
            raise


@pytest.mark.parametrize("name", ["multipart_events", "multipart_form", "both_parsers"])
def test_nor_does_any_beginning_of_one(name):
    for file in inputs(name)[:20]:
        data = file.read_bytes()[:200]
        for end in range(len(data)):
            TARGETS[name].run(data[:end])


def test_the_corpus_belongs_to_the_targets_and_stays_small():
    assert sorted(TARGETS) == sorted(folder.name for folder in CORPUS.iterdir())
    assert sum(file.stat().st_size for file in CORPUS.rglob("*")) < LARGEST
