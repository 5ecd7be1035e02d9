"""Sessions in Redis, which several machines can share. A session is a hash with a field for each value."""

from __future__ import annotations

import time
import typing as t

from ...stores.redis import TIMEOUT, connect, library, reaching
from ...stores.waiting import Waits
from .store import Change, Record, SessionStore, UnreadableRecordError

if t.TYPE_CHECKING:
    from redis import Redis

URL: t.Final = "redis://127.0.0.1:6379/0"

MISSING: t.Final = "SESSION_STORE = 'redis' requires the package redis: pip install 'costrel[redis]'."

_SAVE: t.Final = """
local key, new_key = KEYS[1], KEYS[2]
local index, created, seen, user, expires, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if ARGV[7] == 'change' then
    if redis.call('EXISTS', key) == 0 then return 0 end
    local former = redis.call('HGET', key, 'user')
    if former then redis.call('SREM', index .. former, key) end
    if key ~= new_key then redis.call('RENAME', key, new_key) end
end
redis.call('HSET', new_key, 'created', created, 'seen', seen, 'expires', expires)
redis.call('HDEL', new_key, 'user')
local removed = tonumber(ARGV[8])
for i = 9, 8 + removed do redis.call('HDEL', new_key, ARGV[i]) end
for i = 9 + removed, #ARGV, 2 do redis.call('HSET', new_key, ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', new_key, ttl)
if string.sub(user, 1, 1) == '=' then
    local name = string.sub(user, 2)
    redis.call('HSET', new_key, 'user', name)
    redis.call('SADD', index .. name, new_key)
    if redis.call('PTTL', index .. name) < tonumber(ttl) then redis.call('PEXPIRE', index .. name, ttl) end
end
return 1
"""
"""Redis runs a script atomically. The fields of values start with '=', which distinguishes them from other fields."""

_DELETE: t.Final = """
local user = redis.call('HGET', KEYS[1], 'user')
if user then redis.call('SREM', ARGV[1] .. user, KEYS[1]) end
return redis.call('DEL', KEYS[1])
"""


class RedisStore(SessionStore):
    """Stores records in Redis, under keys that start with `prefix`.

    `client` is a URL, or a `redis.Redis` with timeouts of its own.

    :raises RuntimeError: if the package redis is not installed.
    """

    def __init__(self, client: str | Redis = URL, prefix: str = "costrel:session:") -> None:
        self._own = isinstance(client, str)
        self._client: Redis = connect(client, MISSING) if isinstance(client, str) else client
        self._waits = Waits(TIMEOUT)
        self._prefix = prefix
        self._index = f"{prefix}user:"
        self._save = self._client.register_script(_SAVE)
        self._delete = self._client.register_script(_DELETE)

    def load(self, key: str) -> Record | None:
        with reaching(self._waits, "sessions"):
            try:
                found = self._client.hgetall(self._prefix + key)
            except library(MISSING).ResponseError as error:
                raise UnreadableRecordError(f"The value in Redis is not a session: {error}.") from error
        return _record(key, {_text(name): _text(value) for name, value in found.items()}) if found else None

    def create(self, record: Record) -> None:
        change = Change(record.seen, record.created, record.expires, record.user, record.values)
        self._run("create", record.key, change)

    def change(self, key: str, change: Change) -> bool:
        return self._run("change", key, change)

    def _run(self, action: str, key: str, change: Change) -> bool:
        arguments: list[str | int] = [
            self._index,
            repr(change.created),
            repr(change.seen),
            "" if change.user is None else f"={change.user}",
            repr(change.expires),
            max(1, int((change.expires - time.time()) * 1000)),
            action,
            len(change.removed),
            *(f"={name}" for name in change.removed),
        ]
        for name, text in change.written.items():
            arguments += (f"={name}", text)
        keys = [self._prefix + key, self._prefix + (change.new_key or key)]
        with reaching(self._waits, "sessions"):
            return bool(self._save(keys=keys, args=arguments))

    def delete(self, key: str) -> bool:
        with reaching(self._waits, "sessions"):
            return bool(self._delete(keys=[self._prefix + key], args=[self._index]))

    def of_user(self, user: str) -> list[Record]:
        index = f"{self._index}{user}"
        with reaching(self._waits, "sessions"):
            members = [_text(member) for member in self._client.smembers(index)]
        records = []
        for member in members:
            record = self.load(member.removeprefix(self._prefix))
            if record is not None:
                records.append(record)
            else:
                with reaching(self._waits, "sessions"):
                    self._client.srem(index, member)
        return records

    def take_foreign(self, name: str) -> object:
        with reaching(self._waits, "sessions"):
            try:
                found: object = self._client.get(name)
                return found
            except library(MISSING).ResponseError as error:
                raise UnreadableRecordError(f"The value of {name!r} in Redis is not a session: {error}.") from error

    def drop_foreign(self, name: str) -> None:
        with reaching(self._waits, "sessions"):
            self._client.delete(name)

    def close(self) -> None:
        if self._own:
            self._client.close()


def _record(key: str, fields: dict[str, str]) -> Record:
    values = {name[1:]: value for name, value in fields.items() if name.startswith("=")}
    try:
        created, seen, expires = (float(fields[name]) for name in ("created", "seen", "expires"))
    except (KeyError, ValueError) as error:
        raise UnreadableRecordError(f"The value in Redis is not a session: {error!r}.") from error
    return Record(key, values, created, seen, expires, fields.get("user"))


def _text(value: object) -> str:
    try:
        return value.decode() if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError as error:
        raise UnreadableRecordError(f"The value in Redis is not a session: {error}.") from error
