"""The service is killed and started again in the middle: the client finishes, and what it moved is whole."""

import json
import threading

import httpx
import numpy as np
import pytest
from conftest import cases

import hyperslab
from hyperslab import _sync

MB = 1_000_000


class Killing:
    """Kills the service once, when so much was moved, and starts it again."""

    def __init__(self, server, share):
        self.server, self.share = server, share
        self.once = threading.Lock()
        self.killed = False

    def __call__(self, done, total):
        if done > total * self.share and self.once.acquire(blocking=False):
            self.killed = True
            self.server.restart()


@pytest.mark.parametrize("strided", [False, True])
def test_a_read_goes_on_when_the_service_is_killed(own_server, strided):
    size = cases(100, 1000) * MB
    name = f"large-{strided}"
    file = own_server.files / f"{name}.raw"
    array = np.random.default_rng(1).integers(0, 1 << 60, (2, size // 16), np.int64).T
    array = np.ascontiguousarray(array) if strided else np.ascontiguousarray(array.T)
    array.tofile(file)
    key = np.s_[:, ::-1] if strided else ...
    killing = Killing(own_server, 0.4)
    with hyperslab.connect(own_server.url, read_bytes=16 << 20) as client:
        remote = client.register(name, str(file), dtype="i8", shape=array.shape)
        read = remote.read(key, progress=killing)
    assert killing.killed
    np.testing.assert_array_equal(read, array[key])


def test_a_write_goes_on_when_the_service_is_killed(own_server):
    size = cases(100, 1000) * MB
    array = np.random.default_rng(2).integers(0, 1 << 60, (size // 80, 10), np.int64)
    killing = Killing(own_server, 0.4)
    with hyperslab.connect(own_server.url) as client:
        remote = client.create("large", array.shape, "i8")
        remote.write(..., array, progress=killing)
        remote.flush()
    assert killing.killed
    np.testing.assert_array_equal(np.load(own_server.data_dir / "arrays" / "large.npy", mmap_mode="r"), array)


def test_what_is_written_meanwhile_is_in_all_of_a_read_or_in_none(own_server):
    with hyperslab.connect(own_server.url, read_bytes=1 << 20) as client:
        remote = client.create("moving", (1 << 20,), "i8")
        writes = iter(range(1, 4))

        def write(done, total):
            if done < total and (value := next(writes, None)) is not None:
                other[...] = value

        other = client["moving"]
        read = remote.read(..., progress=write)
    assert read.min() == read.max()


def answering(*answers, seen=None):
    """A transport that answers one after another, and the last one for ever."""
    left = list(answers)

    def handle(request):
        if seen is not None:
            seen.append(request)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    return httpx.MockTransport(handle)


DESCRIBED = {
    "name": "a",
    "id": "1",
    "dtype": "|u1",
    "shape": [8],
    "order": "C",
    "mode": "r+",
    "generation": 1,
    "external": False,
    "attrs": {},
    "dims": None,
}


def answer(status, body, **headers):
    """An answer whose body has not been read yet, as one from a network."""
    length = {"content-length": str(len(body))}
    return httpx.Response(status, headers={**length, **headers}, stream=httpx.ByteStream(body))


def problem(status, code, **headers):
    said = {"content-type": "application/problem+json", **headers}
    body = json.dumps({"status": status, "code": code, "detail": f"{code} it is."}).encode()
    return lambda request: answer(status, body, **said)


def described(request):
    return answer(200, json.dumps(DESCRIBED).encode())


@pytest.fixture
def pauses(monkeypatch):
    """Pauses are noted, and not made."""
    noted = []
    monkeypatch.setattr(_sync.time, "sleep", noted.append)
    return noted


def connected(transport, **settings):
    return hyperslab.connect("http://127.0.0.1:1", transport=transport, **settings)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(pauses, status):
    transport = answering(problem(status, "busy", **{"retry-after": "7"}), problem(status, "busy"), described)
    with pytest.raises(hyperslab.Busy):
        # Without Retry-After waiting does not help.
        connected(transport)["a"]
    assert len(pauses) == 1 and 7 <= pauses[0] < 8
    transport = answering(problem(status, "busy", **{"retry-after": "3"}), described)
    assert connected(transport)["a"].shape == (8,)


def test_patience_ends(pauses):
    transport = answering(problem(503, "busy", **{"retry-after": "7"}))
    with pytest.raises(hyperslab.Busy) as refused:
        connected(transport, patience=30)["a"]
    assert refused.value.code == "busy" and 21 <= sum(pauses) <= 30


def test_waits_grow_where_nobody_answers(pauses):
    with pytest.raises(hyperslab.Unreachable) as refused:
        connected(answering(httpx.ConnectError("refused")), patience=20)["a"]
    assert refused.value.code == "unreachable" and 15 < sum(pauses) <= 20
    assert max(pauses) <= 5 and pauses[0] < 0.11


def test_what_may_have_been_done_is_not_sent_again(pauses):
    seen = []
    transport = answering(httpx.ReadError("cut"), seen=seen)
    with pytest.raises(hyperslab.Unreachable) as refused:
        connected(transport).create("a", (8,), "u1")
    assert refused.value.code == "outcome_unknown" and len(seen) == 1


def test_a_proxy_that_has_nobody_behind_it_is_asked_again(pauses):
    transport = answering(answer(502, b"<h1>Bad Gateway</h1>"), described)
    assert connected(transport)["a"].size == 8


class Cut(httpx.SyncByteStream):
    """A body that ends too soon."""

    def __init__(self, body):
        self.body = body

    def __iter__(self):
        yield self.body
        raise httpx.RemoteProtocolError("peer closed connection")


def test_a_read_that_was_cut_goes_on_with_range(pauses):
    seen = []
    headers = {"content-length": "8", "accept-ranges": "bytes", "x-array-dtype": "|u1", "x-array-shape": "8"}
    first = httpx.Response(200, headers=headers, stream=Cut(bytes([0, 1, 2])))
    second = httpx.Response(206, headers={**headers, "content-length": "5"}, stream=Cut(bytes([3, 4])))
    third = answer(206, bytes([5, 6, 7]), **{**headers, "content-length": "3"})
    transport = answering(described, described, first, second, third, seen=seen)
    a = connected(transport, read_bytes=8)["a"]
    out = np.empty(8, np.uint8)
    a.read_into(out)
    assert out.tolist() == list(range(8))
    assert [request.headers.get("range") for request in seen[2:]] == [None, "bytes=3-7", "bytes=5-7"]
    assert all(request.headers["if-match"] == '"1.1"' for request in seen[2:])


def test_a_read_without_ranges_begins_anew(pauses):
    headers = {"content-length": "8", "x-array-dtype": "|u1", "x-array-shape": "8"}
    first = httpx.Response(200, headers=headers, stream=Cut(bytes([9, 9, 9])))
    second = answer(200, bytes(range(8)), **headers)
    moved = []
    a = connected(answering(described, described, first, second), read_bytes=8)["a"]
    out = np.empty(8, np.uint8)
    a.read_into(out, progress=lambda done, total: moved.append((done, total)))
    assert out.tolist() == list(range(8)) and moved[-1] == (8, 8)


def test_a_service_that_is_away_says_so():
    with pytest.raises(hyperslab.Unreachable, match="Look whether the service runs"):
        hyperslab.connect("http://127.0.0.1:9", patience=0)["a"]


def test_nothing_of_the_token_is_shown():
    client = hyperslab.connect("http://127.0.0.1:9", token="secret", patience=0)
    assert "secret" not in repr(client) + repr(client._recipes.session)


def test_an_append_is_done_once_when_the_service_is_killed(own_server):
    """A kill at any moment of small appends, which may come before or after the commit."""
    kills = cases(2, 12)
    with hyperslab.connect(own_server.url) as client:
        remote = client.create("log", (0, 3), "i8")
        stop = threading.Event()

        def kill():
            for pause in np.random.default_rng(3).uniform(0.2, 0.9, kills):
                stop.wait(pause)
                own_server.restart()
            stop.set()

        killer = threading.Thread(target=kill)
        killer.start()
        rows = 0
        while not stop.is_set():
            count = rows % 3 + 1
            added = np.arange(3 * rows, 3 * (rows + count)).reshape(count, 3)
            assert remote.append(added) == (rows + count, 3)
            rows += count
        killer.join()
        np.testing.assert_array_equal(remote[...], np.arange(3 * rows).reshape(rows, 3))
    file = np.load(own_server.data_dir / "arrays" / "log.npy", mmap_mode="r")
    np.testing.assert_array_equal(file, np.arange(3 * rows).reshape(rows, 3))


def test_a_large_append_is_done_once_when_the_service_is_killed(own_server):
    array = np.random.default_rng(4).integers(0, 1 << 60, (cases(100, 400) * MB // 80, 10), np.int64)
    killing = Killing(own_server, 0.6)
    with hyperslab.connect(own_server.url) as client:
        remote = client.create("long", array[:5])
        remote.append(array[5:], progress=killing)
        assert killing.killed and remote.shape == array.shape
        np.testing.assert_array_equal(remote[...], array)


def moved(length):
    said = {"content-type": "application/problem+json"}
    body = json.dumps(
        {"status": 409, "code": "moved", "detail": "longer", "length": length, "shape": [length]}
    ).encode()
    return lambda request: answer(409, body, **said)


def now(length):
    return lambda request: answer(200, json.dumps({**DESCRIBED, "shape": [length]}).encode())


def rows_read(*values):
    headers = {"x-array-dtype": "|u1", "x-array-shape": str(len(values)), "etag": '"1.1"'}
    return lambda request: answer(200, bytes(values), **headers)


def appended(length):
    body = json.dumps({"generation": 2, "shape": [length]}).encode()
    return lambda request: answer(200, body)


@pytest.mark.parametrize("theirs", [False, True])
def test_a_lost_answer_is_told_from_the_rows_of_others(pauses, theirs):
    """Our rows at the place where they were to stand: they were appended. Those of others: ours come behind them."""
    seen = []
    cut = httpx.ReadError("cut")
    answers = [described, cut, moved(10), now(10), rows_read(7, 9 if theirs else 8), appended(12)]
    a = connected(answering(*answers, seen=seen))["a"]
    assert a.append([7, 8]) == ((12,) if theirs else (10,))
    sent = [request.url.params.get("at") for request in seen if request.method == "POST"]
    assert sent == (["8", "8", "10"] if theirs else ["8", "8"])


def test_the_same_rows_of_another_writer_are_not_taken_for_ours(pauses):
    """Without a cut the answer says it all: nothing is compared."""
    seen = []
    a = connected(answering(described, moved(10), appended(12), seen=seen))["a"]
    assert a.append([7, 8]) == (12,)
    assert [request.url.params.get("at") for request in seen[1:]] == ["8", "10"]
