"""The address that a server listens on."""

from __future__ import annotations

import errno
import os
import socket

from dogbreed.errors import ConfigError

MOST_PORT = 65535


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket that has its address, before anything slow begins; port 0 for any free one.

    Raises:
        ConfigError: the host is unknown or not of this machine, or the port cannot be had.
    """
    if not 0 <= port <= MOST_PORT:
        raise ConfigError(f"Expected port to be from 0 to {MOST_PORT}, got {port}.")
    family, kind, protocol, _, address = _address(host, port)
    listener = socket.socket(family, kind, protocol)
    try:
        # Elsewhere it would let a second program have the same address.
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError(_reason(error, host, port)) from error
    return listener


def url(listener: socket.socket, host: str) -> str:
    """Where it is asked."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"


def _address(host: str, port: int) -> tuple[int, int, int, str, tuple[object, ...]]:
    try:
        # An empty one would be every address of this machine.
        return socket.getaddrinfo(host or ".", port, type=socket.SOCK_STREAM)[0]
    # The second for a name that cannot be one.
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"Expected host to be an address of this machine, as 127.0.0.1, got {host!r}.") from error


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Expected port {port} of {host} to be free, another program listens there. Try port={port + 1}"
    if error.errno == errno.EACCES:
        return f"Expected a port that this user may listen on, got {port}. Try port=8080"
    return f"Expected host to be an address of this machine, as 127.0.0.1, got {host!r}: {error.strerror}."
