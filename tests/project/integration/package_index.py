"""pypiserver as a process: `python -m integration.package_index FOLDER PASSWORDS` prints its URL and serves."""

from __future__ import annotations

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Prints nothing: the only output is the URL."""


def main(folder: str, passwords: str) -> None:
    import pypiserver

    # Only uploads need a password.
    app = pypiserver.app(roots=[folder], password_file=passwords, authenticate=["update"], disable_fallback=True)
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
