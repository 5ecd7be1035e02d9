"""Untrusted paths and file names, which must not lead out of a directory."""

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
    """Join `untrusted` parts to a trusted `directory`. Returns None if a part would lead out of it.

    Each part must be relative by itself, so ``safe_join("a", "b", "../c")`` is refused too. NUL characters are always
    refused; on Windows also drives, backslashes, NTFS streams, device names, and trailing dots or spaces.
    """
    return _join_under(os.path, directory, untrusted)


def _join_under(flavour: ModuleType, directory: str, untrusted: tuple[str, ...]) -> str | None:
    """`safe_join` with the rules of one system: `flavour` is ``posixpath`` or ``ntpath``."""
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
    """Whether a relative path with slashes stays below its directory on Windows."""
    if "\\" in path or ":" in path:  # another separator; a drive or an NTFS stream
        return False
    return path == "." or all(_is_plain_windows_name(name) for name in path.split("/"))


def _is_plain_windows_name(name: str) -> bool:
    # Windows ignores trailing dots and spaces: ".. " may be "..", and "CON ." is the console.
    return name == name.rstrip(" .") and name.partition(".")[0].rstrip(" ").upper() not in _WINDOWS_DEVICES


def status_inside(directory: str, path: str) -> os.stat_result:
    """The status of `path`, which is a result of `safe_join` with `directory`.

    Raises OSError if the file does not exist, or if a symbolic link leads out of the directory.
    """
    # PERF: static. Only a link can lead out, and few folders have one. Resolving the paths takes several times longer.
    if os.name == "posix":
        position = len(directory)
        while position >= 0:
            position = path.find("/", position + 1)
            status = os.lstat(path if position < 0 else path[:position])
            if S_ISLNK(status.st_mode):
                break
        else:
            return status
    from pathlib import PurePath  # slow to import, and links are rare

    if not PurePath(os.path.realpath(path)).is_relative_to(os.path.realpath(directory)):
        raise FileNotFoundError(errno.ENOENT, f"A link leads out of {directory!r}", path)
    return os.stat(path)


def is_hidden(path: str) -> bool:
    """Whether a part of a relative path begins with a dot."""
    return any(part.startswith(".") and part != "." for part in path.replace(os.sep, "/").split("/"))


def secure_filename(filename: str) -> str:
    """Return `filename` as an ASCII name that is valid on every file system. It may be empty.

    Separators and spaces become underscores, so the result has no directories. Characters with an ASCII equivalent
    (``ü``, ``ﬁ``) are replaced by it. If letters or digits without one are left out, as in ``файл.txt``, eight digits
    of a hash of the name are added, so that such names stay different. Other names may still have the same result.
    """
    if filename.isascii() or not _loses_letters(filename):
        return ascii_filename(filename)
    from hashlib import sha256  # slow to import

    stem, dot, extension = filename.rpartition(".")
    if not dot:
        stem, extension = extension, ""
    digest = sha256(filename.encode(errors="surrogatepass")).hexdigest()[:8]
    name = "_".join(filter(None, [ascii_filename(stem), digest]))
    extension = ascii_filename(extension)
    return f"{name}.{extension}" if extension else name


def _loses_letters(filename: str) -> bool:
    """Whether a letter or digit has no ASCII equivalent."""
    import unicodedata

    return any(
        character.isalnum() and not unicodedata.normalize("NFKD", character).encode("ascii", "ignore")
        for character in filename
    )


def ascii_filename(filename: str) -> str:
    """Werkzeug's `secure_filename`: like ours, but without the hash for characters that have no ASCII equivalent."""
    return _secure_name(os.path, filename)


def _secure_name(flavour: ModuleType, filename: str) -> str:
    """`ascii_filename` with the rules of one system: `flavour` is ``posixpath`` or ``ntpath``."""
    if not filename.isascii():
        import unicodedata  # 1 MiB of tables

        # One character at a time, since sorting a run of combining marks takes quadratic time, and they are dropped.
        decomposed = "".join([unicodedata.normalize("NFKD", character) for character in filename])
        filename = decomposed.encode("ascii", "ignore").decode("ascii")
    for separator in filter(None, (flavour.sep, flavour.altsep)):
        filename = filename.replace(separator, " ")
    filename = _NOT_IN_A_SECURE_NAME.sub("", "_".join(filename.split())).strip("._")
    if flavour is ntpath and filename.partition(".")[0].upper() in _WINDOWS_DEVICES:
        return f"_{filename}"
    return filename
