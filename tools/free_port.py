"""Say clearly, before anything is built, that a port is taken."""

import errno
import socket
import sys


def main(port: str) -> str | None:
    """Return a message if the site cannot be served on `port`, else None."""
    if not port.isdecimal() or not 0 < int(port) < 65536:
        return f"PORT must be a number from 1 to 65535, got {port!r}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            reason = "in use" if error.errno == errno.EADDRINUSE else error.strerror
            return f"Port {port} is {reason}. Choose another: PORT=8001 make serve"
    print(f"The site will be at http://127.0.0.1:{port}/", flush=True)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
