"""The access token: made once, shown once, kept as a digest in a file that its owner alone can read."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from nas.files import write_text
from search_spaces.errors import StorageError

TOKEN_FILE = ".serve-token.sha256"  # noqa: S105 - the name of a file
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def make_token(out: Path) -> str:
    """Return a new token and keep its SHA-256 in ``out``; an older token stops being accepted.

    Raises:
        StorageError: the folder can't be written.
    """
    token = secrets.token_urlsafe(32)
    path = out / TOKEN_FILE
    # Readable by its owner from the first moment: files are made with the rights that this mask leaves.
    mask = os.umask(0o077)
    try:
        write_text(path, digest(token) + "\n")
    finally:
        os.umask(mask)
    return token


def read_digest(out: Path) -> str | None:
    """Return the digest of the token of ``out``, or None where none was made.

    Raises:
        StorageError: the file can't be read, or holds no digest.
    """
    path = out / TOKEN_FILE
    try:
        found = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"can't read the token's digest {path}: {error}: run nas serve --new-token") from None
    if len(found) != 64 or set(found) - set("0123456789abcdef"):
        raise StorageError(f"{path} holds no SHA-256: run nas serve --new-token")
    return found


def digest(token: str) -> str:
    """Return the SHA-256 of a token in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def matches(given: str, expected: str | None) -> bool:
    """Return whether ``given`` is the token whose digest is ``expected``; the time taken tells nothing of either."""
    return expected is not None and hmac.compare_digest(digest(given), expected)
