"""The pulses of workers, and which of them are silent."""

from costrel.server.beats import Beats, Pulse


def test_a_pulse_is_silent_only_while_its_reader_runs(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    pulse = Pulse()
    beats = Beats(10)

    def look(seconds):
        now[0] += seconds
        return list(beats.silent([("worker", pulse)]))

    assert look(1) == []
    assert look(100) == []  # it has not begun to beat
    pulse.beat()
    assert look(1) == []
    assert look(3600) == []  # the computer was suspended
    assert [look(1) for _ in range(8)] == [[], [], [], [], [], [], ["worker"], []]


def test_without_a_limit_no_pulse_is_silent():
    assert [] == list(Beats(None).silent([("worker", Pulse())]))
