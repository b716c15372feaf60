"""nginx and Caddy of Debian's packages, with the configurations that the product prints."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from robbieblocks.serve import WebServer
from tests import debian_packages
from tests.workers import until

SERVERS: tuple[WebServer, ...] = ("nginx", "caddy")
_PACKAGES = {
    "nginx": ("nginx", "libnginx-mod-http-brotli-static", "libpcre2-8-0"),
    "caddy": ("caddy",),
}
_HOW = "install nginx, libnginx-mod-http-brotli-static and caddy"
_TIMEOUT = 30.0

_NGINX = """
daemon off;
{user}
worker_processes 2;
pid {folder}/pid;
error_log {folder}/errors.log crit;
{module}
events {{ worker_connections 256; }}
http {{
    access_log off;
    # What others may have set there, for all their sites: ours must not be taken in.
    open_file_cache max=1000;
    gzip_static off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include "{folder}/site.conf";
}}
"""
_CADDY = """{{
	admin off
}}
import "{folder}/site.conf"
"""


def free_port() -> int:
    """A port of the loopback address that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def check(server: WebServer, configuration: str, folder: Path) -> str:
    """What the server itself says against a configuration; empty where it would take it.

    nginx tries the ports, too, and an ordinary user may not have 80.
    """
    configuration = re.sub(r"(listen (?:\[::\]:)?)80\b", rf"\g<1>{free_port()}", configuration)
    argv, environment = _command(server, configuration, folder, check=True)
    done = subprocess.run(
        argv, env=environment, capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )
    return done.stderr + done.stdout if done.returncode else ""


@contextmanager
def running(server: WebServer, configuration: str, folder: Path, port: int) -> Iterator[str]:
    """The server with a configuration that listens on a port; yields its address."""
    argv, environment = _command(server, configuration, folder, check=False)
    with (
        (folder / "said.log").open("w") as said,
        subprocess.Popen(argv, env=environment, stdout=said, stderr=said, text=True) as process,
    ):
        try:
            until(lambda: _answers(port, process, folder), server)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _answers(port: int, process: subprocess.Popen[str], folder: Path) -> bool:
    assert process.poll() is None, (folder / "said.log").read_text()
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def _command(
    server: WebServer, configuration: str, folder: Path, *, check: bool
) -> tuple[list[str | Path], dict[str, str]]:
    folder.mkdir(exist_ok=True)
    (folder / "site.conf").write_text(configuration)
    root = _root(server)
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    environment["XDG_CONFIG_HOME"] = str(folder)
    environment["LD_LIBRARY_PATH"] = debian_packages.libraries(root)
    main = folder / "main.conf"
    if server == "nginx":
        # Its workers are nobody otherwise, who may not read the tests' folders.
        user = "user root root;" if os.geteuid() == 0 else ""
        main.write_text(_NGINX.format(folder=folder, user=user, module=_module(root)))
        program = root / "usr/sbin/nginx"
        return [program, *(["-t"] if check else []), "-e", "stderr", "-c", main], environment
    main.write_text(_CADDY.format(folder=folder))
    program = root / "usr/bin/caddy"
    does = "validate" if check else "run"
    return [program, does, "--adapter", "caddyfile", "--config", main], environment


def _root(server: WebServer) -> Path:
    return debian_packages.unpacked(server, _PACKAGES[server], _HOW)


def _module(root: Path) -> str:
    return f'load_module "{root}/usr/lib/nginx/modules/ngx_http_brotli_static_module.so";'
