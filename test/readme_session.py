"""Runs the session on standard input as doctest does, and prints how many answers differ."""

import doctest
import sys

test = doctest.DocTestParser().get_doctest(sys.stdin.read(), {}, "page", "page", 0)
runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
runner.run(test)
print("failed", runner.failures)
