"""A running service, and numpy's way to its arrays: the standard library and numpy, nothing else."""

import io
import json
import os
import re
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest


class Client:
    def __init__(self, url, data_dir, files):
        self.url, self.data_dir, self.files = url, data_dir, files

    def call(self, method, path, body=None, content_type="application/json"):
        data = json.dumps(body).encode() if content_type == "application/json" and body is not None else body
        headers = {"content-type": content_type} if data is not None else {}
        request = urllib.request.Request(f"{self.url}/v1{path}", data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def refused(self, method, path, body=None, content_type="application/json"):
        """The problem that a call is answered with."""
        with pytest.raises(urllib.error.HTTPError) as refusal:
            self.call(method, path, body, content_type)
        return {**json.load(refusal.value), "status": refusal.value.code}

    def array(self, path):
        return np.load(io.BytesIO(self.call("GET", path)))

    def save(self, method, path, array):
        body = io.BytesIO()
        np.save(body, array)
        return self.call(method, path, body.getvalue(), "application/x-npy")


@pytest.fixture(scope="session")
def client(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    files = tmp_path_factory.mktemp("files")
    settings = {"HYPERSLAB_PORT": "0", "HYPERSLAB_DATA_DIR": str(data_dir), "HYPERSLAB_ROOTS": str(files)}
    env = {**os.environ, **settings}
    server = subprocess.Popen(["node", "dist/bundle/server.js"], env=env, stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        if found := re.search(r'hyperslab listens at (\S+?)"', line):
            break
    threading.Thread(target=server.stdout.read, daemon=True).start()
    yield Client(found[1], data_dir, files)
    server.terminate()
    assert server.wait(20) == 0
