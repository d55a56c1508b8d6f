"""The sessions in the READMEs are replayed, and the list of signatures is that of the code.

UPDATE_DOCS=1 writes the list.
"""

import doctest
import inspect
import os
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Server

import hyperslab

README = Path(__file__).resolve().parents[1] / "README.md"
SHOWN = "http://127.0.0.1:8080"

LISTED = {
    "hyperslab": [hyperslab.connect, hyperslab.open_array],
    "Client": hyperslab.Client,
    "RemoteArray": hyperslab.RemoteArray,
    "a.where(…)": hyperslab.Kept,
    "a.groupby(…)": hyperslab.GroupBy,
    "a.coarsen(…)": hyperslab.Coarsen,
    "Groups": hyperslab.Groups,
    "filters": [hyperslab.column, hyperslab.field, hyperslab.dataset, hyperslab.rows],
    "a value in a filter": type(hyperslab.element),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("files"), HYPERSLAB_DEMO="auto")
    yield running
    running.stop()


@pytest.mark.parametrize("page", [README, ROOT / "README.md"], ids=["package", "project"])
def test_the_sessions_answer_what_they_show(page, demo):
    blocks = re.findall(r"^```pycon\n(.*?)^```", page.read_text(), re.S | re.M)
    assert blocks
    session = "\n".join(blocks).replace(SHOWN, demo.url)
    names = {"__name__": "readme"}
    test = doctest.DocTestParser().get_doctest(session, names, page.name, str(page), 0)
    said = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    with np.printoptions(legacy=False):
        runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)


def signature_of(name, function):
    """A line of the list, without types: they are in the code, where editors show them."""
    parameters = []
    signature = inspect.signature(function)
    star = False
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            parameters.append("*")
        prefix = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        star = star or prefix == "*"
        default = parameter.default
        shown = "..." if default is ... else repr(default)
        parameters.append(prefix + parameter.name + ("" if default is parameter.empty else f"={shown}"))
    first = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
    return f"- `{name}({', '.join(parameters)})`: {first}"


def listing():
    lines = []
    for title, what in LISTED.items():
        lines += [f"### {title}", ""]
        if isinstance(what, list):
            lines += [signature_of(each.__name__, each) for each in what]
        else:
            members = [(name, member) for kind in reversed(what.__mro__[:-1]) for name, member in vars(kind).items()]
            public = {n: m for n, m in members if not n.startswith("_") and (callable(m) or isinstance(m, property))}
            for name, member in public.items():
                if isinstance(member, property):
                    lines.append(f"- `{name}`: " + (inspect.getdoc(member) or "").split("\n\n")[0].replace("\n", " "))
                elif member.__module__.startswith("hyperslab"):
                    lines.append(signature_of(name, member))
        lines.append("")
    return "\n".join(lines).replace("``", "`")


def test_every_signature_stands_in_the_readme():
    begin, end = "<!-- signatures:begin -->\n<!-- prettier-ignore-start -->\n\n", "\n<!-- prettier-ignore-end -->"
    text = README.read_text()
    before, rest = text.split(begin)
    listed, after = rest.split(end)
    if os.environ.get("UPDATE_DOCS") == "1":
        README.write_text(before + begin + listing() + end + after)
        return
    assert listed == listing(), "UPDATE_DOCS=1 pytest writes the list"


def test_every_public_name_has_a_docstring():
    for name in hyperslab.__all__:
        thing = getattr(hyperslab, name)
        assert inspect.getdoc(thing), name
        members = vars(thing) if inspect.isclass(thing) else {}
        for method, member in members.items():
            if callable(member) and not method.startswith("_"):
                assert inspect.getdoc(member), f"{name}.{method}"
