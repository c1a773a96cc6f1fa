"""Real servers, real proxies. What is not installed is skipped, with the reason."""

import shutil
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.native.conftest import authority, serving_tls, tls_server, trusting
from tests.support.fixtures import platform, server
from tests.support.processes import Running, free_port, installed
from tools.common import NODE_MODULES
from ws_common.options.options import WebSocketOptions

__all__ = ["authority", "platform", "server", "serving_tls", "tls_server", "trusting"]

PEERS = Path(__file__).parent / "peers"

NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_read_timeout {idle}s;
            proxy_send_timeout {idle}s;
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Real:
    """A real server: its URL, and the program to restart."""

    url: str
    program: Running
    trusting: object

    def options(self, **common) -> WebSocketOptions:
        return WebSocketOptions.vm(proxy=None, ssl=self.trusting, **common)


@pytest.fixture(scope="session")
def folder():
    """A folder that daemons under another user may use, too."""
    path = Path(tempfile.mkdtemp(prefix="ws-interop-"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def program(folder):
    """Makes a program of `peers/`, not yet running."""

    def make(name: str, *arguments: str) -> Running:
        port = free_port()
        script = PEERS / name
        interpreter = sys.executable
        if script.suffix == ".mjs":
            interpreter = installed("node")
            library = NODE_MODULES / "ws" / "index.js"
            if not library.exists():
                pytest.skip("npm's ws is not there; `make test` brings it")
            arguments = (str(library), *arguments)
        command = [interpreter, str(script), str(port), *arguments]
        return Running(command, port, folder / f"{name}-{port}.log")

    return make


@pytest.fixture(scope="session")
def nginx(folder, program, authority, trusting):
    """Makes an nginx with TLS, before the program that is given."""
    binary = installed("nginx")
    certificate = authority.issue_cert("localhost")

    def make(behind: Running, *, idle: int = 60) -> Real:
        port = free_port()
        home = folder / f"nginx-{port}"
        home.mkdir()
        certificate.private_key_pem.write_to_path(home / "key.pem")
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(home / "certificate.pem", append=True)
        config = home / "nginx.conf"
        config.write_text(
            NGINX.format(folder=home, port=port, behind=behind.port, idle=idle)
        )
        command = [binary, "-c", str(config), "-p", str(home)]
        program = Running(command, port, home / "log")
        return Real(f"wss://localhost:{port}/", program, trusting)

    return make


@pytest.fixture(
    scope="session",
    params=[
        "websockets",
        "aiohttp",
        "uvicorn, websockets",
        "uvicorn, websockets-sansio",
        "uvicorn, wsproto",
        "npm ws",
        "nginx, websockets",
    ],
)
def real(request, program, trusting):
    """One real server after the other, running."""
    name, _, inner = request.param.partition(", ")
    make_nginx = request.getfixturevalue("nginx") if name == "nginx" else None
    behind = {
        "websockets": ("with_websockets.py",),
        "aiohttp": ("with_aiohttp.py",),
        "uvicorn": ("with_starlette.py", inner),
        "npm ws": ("with_npm_ws.mjs",),
        "nginx": ("with_websockets.py",),
    }[name]
    with ExitStack() as stack:
        peer = stack.enter_context(program(*behind))
        real = Real(f"ws://127.0.0.1:{peer.port}/", peer, trusting)
        if make_nginx is not None:
            real = make_nginx(peer)
            stack.enter_context(real.program)
        yield real
