"""A running service for the tests, which can be killed and started again on the same port."""

import os
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

import hyperslab

ROOT = Path(__file__).resolve().parents[3]


def cases(short, full):
    """How many cases a test has: more of them where HYPERSLAB_TEST_CASES says full."""
    return full if os.environ.get("HYPERSLAB_TEST_CASES") == "full" else short


class Server:
    """A service of its own, over a data folder."""

    def __init__(self, data_dir, files, **settings):
        self.data_dir, self.files, self.port = data_dir, files, free_port()
        self.settings = {"HYPERSLAB_ROOTS": str(files), "HYPERSLAB_DATA_DIR": str(data_dir), **settings}
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        env = {**os.environ, **self.settings, "HYPERSLAB_PORT": str(self.port), "HYPERSLAB_LOG_LEVEL": "info"}
        program = ["node", str(ROOT / "dist/bundle/server.js")]
        self.process = subprocess.Popen(program, env=env, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if re.search(r"hyperslab listens at", line):
                break
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def restart(self):
        self.kill()
        self.start()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("files"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A service that tests may kill."""
    running = Server(tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("files"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def client(server):
    with hyperslab.connect(server.url) as connected:
        yield connected
