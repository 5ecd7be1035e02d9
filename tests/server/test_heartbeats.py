"""The heartbeats of workers, and which of them are silent."""

from costrel.server.heartbeats import Heartbeat, HeartbeatMonitor


def test_a_heartbeat_is_silent_only_while_its_reader_runs(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    heartbeat = Heartbeat()
    monitor = HeartbeatMonitor(10)

    def look(seconds):
        now[0] += seconds
        return list(monitor.silent([("worker", heartbeat)]))

    assert look(1) == []
    assert look(100) == []  # it has not begun to beat
    heartbeat.beat()
    assert look(1) == []
    assert look(3600) == []  # the computer was suspended
    assert [look(1) for _ in range(8)] == [[], [], [], [], [], [], ["worker"], []]


def test_without_a_limit_no_heartbeat_is_silent():
    assert [] == list(HeartbeatMonitor(None).silent([("worker", Heartbeat())]))
