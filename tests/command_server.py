"""Runs commands of tests in forks of one process that has imported the program.

Importing it takes a command half a second of a processor, and the tests run many hundreds. A fork
is a process of its own all the same: arguments, environment, folder, output and end are its own.

Each message on the socket that is standard input is a JSON object, with the descriptors of the
command's output, of its errors, and of a socket that gets the process id, and the exit code later.
Its `code` is Python that runs before the command.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import pkgutil
import selectors
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Never

MAX_REQUEST_BYTES: Final = 100_000


def requested(server: socket.socket) -> dict[str, Any]:
    """Serves until the other side closes. Returns in each fork: what it is asked to run."""
    with selectors.DefaultSelector() as selector:
        selector.register(server, selectors.EVENT_READ, lambda: _fork(server, selector))
        while True:
            for key, _ in selector.select():
                request: dict[str, Any] | None = key.data()
                if request is not None:
                    return request


def _fork(server: socket.socket, selector: selectors.BaseSelector) -> dict[str, Any] | None:
    data, descriptors, _, _ = socket.recv_fds(server, MAX_REQUEST_BYTES, 3)
    if not data:
        sys.exit()
    out, err, reply = descriptors
    child = os.fork()
    if child == 0:
        for source, number in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
            os.dup2(source, number)
            os.close(source)
        os.close(reply)
        return dict(json.loads(data))
    os.close(out)
    os.close(err)
    os.write(reply, b"%d" % child)
    watched = os.pidfd_open(child)
    selector.register(watched, selectors.EVENT_READ, _ended(selector, child, watched, reply))
    return None


def _ended(
    selector: selectors.BaseSelector, child: int, watched: int, reply: int
) -> Callable[[], None]:
    def tell() -> None:
        selector.unregister(watched)
        os.close(watched)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        # Nobody waits any more for a command that took too long.
        with contextlib.suppress(BrokenPipeError):
            os.write(reply, b"%d" % code)
        os.close(reply)

    return tell


def main() -> None:
    """Import the program, serve, and in each fork be the command."""
    from robbieblocks import cli
    from robbieblocks.prerender import PageRenderer
    from robbieblocks.settings import Settings

    # Each command imports what it does when it is run: all of that, once.
    for module in pkgutil.walk_packages(cli.__path__, f"{cli.__name__}."):
        importlib.import_module(module.name)
    # And each build compiles the templates.
    PageRenderer(*Settings.from_environment().templates)

    # The whole loop ends in a fork, so that nothing of the server is left when the command ends.
    with socket.socket(fileno=os.dup(0)) as server:
        request = requested(server)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    tempfile.tempdir = None
    sys.argv = ["robbieblocks", *request["arguments"]]

    def command() -> None:
        exec(request["code"], {"__name__": "__main__"})  # noqa: S102 - a test's own
        cli.main()

    _leave(_code_of(command))


def _code_of(program: Callable[[], object]) -> int:
    try:
        program()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException as error:  # noqa: BLE001 - as Python does with what nobody caught
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return 0


def _leave(code: int) -> Never:
    """End as Python does, but for freeing what was imported: that would copy all its memory."""
    # What Python calls at its end has no other names.
    threading._shutdown()  # type: ignore[attr-defined]  # not in typeshed
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage] - see above
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
