"""``python -m flask``: the command line, as ``flask`` is it."""

from costrel.cli import main

main()
