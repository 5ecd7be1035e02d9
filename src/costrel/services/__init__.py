"""The parts that an application owns, each an interface with a default."""
