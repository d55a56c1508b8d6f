"""Dates as numpy reads and writes them, for date-text.test.ts.

Input: JSON, {"print": [[unit, [count, ...]], ...], "parse": [[unit, [text, ...]], ...]}; counts are texts.
Output: {"print": [[text, ...], ...], "parse": [[count or null, ...], ...]}. Of years of more than four digits the text is
that of a model, which is held to numpy where that does not overflow.
"""

import datetime
import json
import re
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")

NAT = -(2**63)
SECOND = {"W": 604800, "D": 86400, "h": 3600, "m": 60, "s": 1}
DIGITS = {"ms": 3, "us": 6, "ns": 9, "ps": 12, "fs": 15, "as": 18}


def year_text(year):
    return "%04d" % year


def day_text(days):
    # 400 years are 146,097 days: the date is looked up in years that datetime has.
    eras, rest = divmod(days, 146097)
    date = datetime.date(2000, 1, 1) + datetime.timedelta(days=rest)
    return "%s-%02d-%02d" % (year_text(date.year + 400 * eras), date.month, date.day)


def model(count, unit):
    if count == NAT:
        return "NaT"
    multiple, name = re.fullmatch(r"(\d*)(\D+)", unit).groups()
    total = count * int(multiple or 1)
    if name == "Y":
        return year_text(1970 + total)
    if name == "M":
        return "%s-%02d" % (year_text(1970 + total // 12), total % 12 + 1)
    # 1970-01-01 is 10,957 days before 2000-01-01.
    digits = DIGITS.get(name)
    ticks = total * SECOND[name] if digits is None else total
    per_day = 86400 * 10 ** (digits or 0)
    days, rest = divmod(ticks, per_day)
    text = day_text(days - 10957)
    if name in "WD":
        return text
    seconds, fraction = divmod(rest, 10 ** (digits or 0))
    text += "T%02d" % (seconds // 3600)
    if name != "h":
        text += ":%02d" % (seconds // 60 % 60)
    if name not in ("h", "m"):
        text += ":%02d" % (seconds % 60)
    return text if digits is None else text + "." + str(fraction).zfill(digits)


def printed(unit, counts):
    texts = [model(int(count), unit) for count in counts]
    multiple = int(re.match(r"\d*", unit).group() or 1)
    near = [i for i, text in enumerate(texts) if re.match(r"(-?\d{1,4}(-|$))|NaT", text)]
    # Beyond int64, numpy turns over.
    near = [i for i in near if texts[i] == "NaT" or abs(int(counts[i]) * multiple) < 2**63]
    values = np.array([int(counts[i]) for i in near], "i8").view("M8[%s]" % unit)
    for i, text in zip(near, np.datetime_as_string(values).tolist()):
        assert texts[i] == text, (unit, counts[i], texts[i], text)
    return {"texts": texts, "compared": len(near)}


def parsed(unit, texts):
    counts = []
    for text in texts:
        try:
            counts.append(str(np.datetime64(text, unit).view("i8")))
        except ValueError:
            counts.append(None)
    return counts


asked = json.load(sys.stdin)
json.dump(
    {
        "print": [printed(unit, counts) for unit, counts in asked["print"]],
        "parse": [parsed(unit, texts) for unit, texts in asked["parse"]],
    },
    sys.stdout,
)
