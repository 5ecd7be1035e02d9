"""Paths and file names that come from outside and must not lead out of a directory."""

from __future__ import annotations

import errno
import ntpath
import os
import posixpath
from stat import S_ISLNK
from types import ModuleType

from .patterns import LatePattern

_NOT_IN_A_SECURE_NAME = LatePattern(r"[^A-Za-z0-9_.-]")

# Windows opens these names as devices in every directory, whatever the extension:
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_WINDOWS_DEVICES = frozenset(
    ["AUX", "CON", "CONIN$", "CONOUT$", "NUL", "PRN"]
    + [port + digit for port in ("COM", "LPT") for digit in "123456789¹²³"]
)


def safe_join(directory: str, *untrusted: str) -> str | None:
    """Join `untrusted` parts to a trusted `directory`; return None where a part would lead out of it.

    Each part is held on its own to be relative, so ``safe_join("a", "b", "../c")`` is refused too. A NUL character is
    refused everywhere; a drive, a backslash, an NTFS stream, a device's name and a trailing dot or blank on Windows.
    """
    return _join_under(os.path, directory, untrusted)


def _join_under(flavour: ModuleType, directory: str, untrusted: tuple[str, ...]) -> str | None:
    """`safe_join` by the rules of one system: `flavour` is ``posixpath`` or ``ntpath``."""
    joined = directory or "."
    for part in untrusted:
        if not part:
            continue
        path = posixpath.normpath(part)
        if path.startswith(("/", "../")) or path == ".." or "\0" in path:
            return None
        if flavour is ntpath and not _stays_on_windows(path):
            return None
        joined = f"{joined}{path}" if joined.endswith("/") else f"{joined}/{path}"
    return joined


def _stays_on_windows(path: str) -> bool:
    """Tell whether Windows takes a relative path with slashes for a file below the directory that it is joined to."""
    if "\\" in path or ":" in path:  # another separator; a drive or an NTFS stream
        return False
    return path == "." or all(_is_plain_windows_name(name) for name in path.split("/"))


def _is_plain_windows_name(name: str) -> bool:
    # Windows drops dots and blanks at the end: ".. " may act as "..", and "CON ." is the console.
    return name == name.rstrip(" .") and name.partition(".")[0].rstrip(" ").upper() not in _WINDOWS_DEVICES


def status_inside(directory: str, path: str) -> os.stat_result:
    """The status of `path`, which `safe_join` has put below `directory`, where no symbolic link leads out of that.

    Raises OSError where there is no such file, or a link leads out.
    """
    # PERF: static. Only a link can lead out, and most folders have none; resolving paths takes several times as long.
    if os.name == "posix":
        position = len(directory)
        while position >= 0:
            position = path.find("/", position + 1)
            status = os.lstat(path if position < 0 else path[:position])
            if S_ISLNK(status.st_mode):
                break
        else:
            return status
    from pathlib import PurePath  # slow to load, and links are rare

    if not PurePath(os.path.realpath(path)).is_relative_to(os.path.realpath(directory)):
        raise FileNotFoundError(errno.ENOENT, f"A link leads out of {directory!r}", path)
    return os.stat(path)


def secure_filename(filename: str) -> str:
    """Return `filename` as a plain ASCII name that can be stored on any file system; empty where nothing is left.

    Separators and blanks become underscores, so that the result is one name without directories; characters that have
    an ASCII counterpart (``ü``, ``ﬁ``) become that. Two names may become one: make the result unique before storing.
    """
    return _secure_name(os.path, filename)


def _secure_name(flavour: ModuleType, filename: str) -> str:
    """`secure_filename` by the rules of one system: `flavour` is ``posixpath`` or ``ntpath``."""
    if not filename.isascii():
        import unicodedata  # 1 MiB of tables

        # One character at a time: a run of combining marks takes quadratic time to be put in order, and none is kept.
        decomposed = "".join([unicodedata.normalize("NFKD", character) for character in filename])
        filename = decomposed.encode("ascii", "ignore").decode("ascii")
    for separator in filter(None, (flavour.sep, flavour.altsep)):
        filename = filename.replace(separator, " ")
    filename = _NOT_IN_A_SECURE_NAME.sub("", "_".join(filename.split())).strip("._")
    if flavour is ntpath and filename.partition(".")[0].upper() in _WINDOWS_DEVICES:
        return f"_{filename}"
    return filename
