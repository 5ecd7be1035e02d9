"""Every moment has its signal."""

from costrel.support import signals


def test_a_listener_hears_the_application():
    heard = []

    def listen(sender, **extra):
        heard.append((sender, extra))

    with signals.request_started.connected_to(listen):
        signals.request_started.send("app", when="now")
    signals.request_started.send("app", when="later")
    assert heard == [("app", {"when": "now"})]


def test_each_signal_is_named_as_it_is_imported():
    named = {name: signal.name for name, signal in vars(signals).items() if hasattr(signal, "receivers")}
    assert named == {name: name.replace("_", "-") for name in named}
    assert len(named) == 13
