"""What the same call gives on both sides."""

import typing as t


def outcome_of(plain: t.Callable[[t.Any], t.Any], call: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> t.Any:
    """What a call returns, made `plain`, or the name and arguments of the error that it raises."""
    try:
        return plain(call(*args, **kwargs))
    except Exception as error:
        return "raised", type(error).__name__, error.args
