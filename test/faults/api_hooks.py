"""What schemathesis cannot know of the interface: names that exist, slices that fit, and the media types of arrays.

Without it nearly every call would be a 404. Three calls of four are aimed at the arrays that the test has made.
"""

import io
import json
import random

import numpy as np
import schemathesis

NAMES = ["plane", "line", "scalar", "read-only", "hollow"]
SLICES = ["0", "1:3", "...", "::-1", "0,0", ":,1", "None,0", "7", "-1", "1:3,::2", "100", ":0", "x", "0:1:0"]
OPERATIONS = ["mean", "std,min", "count", "argmax", "sum", "ptp", "any,all", "prod", "nothing"]
VALUES = [b"1.5", b"[1, 2]", b"0", b"[[1, 2, 3]]", b'"NaN"', b"[]", b"true", b"{", b"[1, [2]]", b"1e999"]
rng = random.Random(1)


@schemathesis.serializer("application/x-npy")
def npy(ctx, value):
    out = io.BytesIO()
    np.save(out, np.zeros(rng.choice([(), (3,), (5, 3), (0, 3)]), rng.choice(["<f4", ">f8", "i1", "<c8"])))
    body = out.getvalue()
    if rng.random() < 0.5:
        return body
    at = rng.randrange(len(body))
    return body[:at] + rng.randbytes(rng.randrange(4)) + body[at + rng.randrange(4) :]


@schemathesis.serializer("application/octet-stream")
def raw(ctx, value):
    return rng.randbytes(rng.choice([0, 1, 3, 4, 12, 20, 60]))


@schemathesis.hook
def before_load_schema(ctx, raw_schema):
    # OpenAPI 3.0 has no schema of one event: the document tells of the whole stream, which is text.
    for path in raw_schema["paths"].values():
        answers = path.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        answers.get("text/event-stream", {}).pop("schema", None)


@schemathesis.hook
def map_path_parameters(ctx, path_parameters):
    if path_parameters and "name" in path_parameters and rng.random() < 0.75:
        path_parameters["name"] = rng.choice(NAMES)
    if path_parameters and "row" in path_parameters and rng.random() < 0.75:
        path_parameters["row"] = str(rng.randrange(-6, 6))
    return path_parameters


@schemathesis.hook
def map_query(ctx, query):
    query = dict(query or {})
    declared = {each.name for each in ctx.operation.query}
    if rng.random() < 0.6:
        for name, values in (("slice", SLICES), ("ops", OPERATIONS), ("format", ["json", "raw", "npy", "csv"])):
            if name in declared and rng.random() < 0.7:
                query[name] = rng.choice(values)
    return query


@schemathesis.hook
def map_body(ctx, body):
    path = ctx.operation.path
    if isinstance(body, dict) and rng.random() < 0.5:
        if path == "/v1/datasets":
            body.update(name=f"made{rng.randrange(50)}", dtype=rng.choice(["f4", ">i2", "bool", "f9"]), shape=[rng.randrange(4)])
            body.pop("path", None)
        elif path.endswith("/statistics"):
            query = {"ops": rng.choice(OPERATIONS).split(",")}
            if path == "/v1/statistics":
                body["queries"] = [{"dataset": rng.choice(NAMES), **query}]
            else:
                body.update(query)
    return body


@schemathesis.hook
def before_call(ctx, case, kwargs):
    # JSON bodies of writes are texts of their own: numbers beyond float64 have no place in a Python value.
    if case.method == "PUT" and case.media_type == "application/json" and rng.random() < 0.7:
        kwargs["data"] = rng.choice(VALUES)
        kwargs.pop("json", None)


if __name__ == "__main__":
    print(json.dumps(NAMES))
