"""Filters, tests, methods and the rest of Jinja: the lines of the *.txt beside this file, many to a playbook.

Each expression is a value of a dictionary, rendered when a loop comes to it, and shown with its type: an error is the
failure of its item alone."""
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
LANGUAGE = HERE.parent.parent / "data/language.json"
PER_CASE = 250
# How the tables write what cannot be seen; a backslash is one, as Ansible's templates have it.
CONTROL = str.maketrans({"⏎": "\n", "␍": "\r", "⇥": "\t"})
# To Python a number is one of its own open files, to Ansible's odd test it is the name of any plugin.
NO_NUMBERS = {"directory", "exists", "file", "is_dir", "is_file", "filter", "test"}
# Without arguments these have another answer each time, or more of them than memory.
UNFIT = {"random", "shuffle", "password_hash", "vault", "permutations"}


def cases():
    language = json.loads(LANGUAGE.read_text())
    filters = sorted({*language["filters_ansible"], *language["filters_jinja"]})
    tests = sorted({*language["tests_ansible"], *language["tests_jinja"]})
    inputs = lines("inputs")
    yield from packed("filters/arguments", "Filters with arguments, right and wrong ones.", complete("filters", filters, "|"))
    yield from packed("filters/inputs", "Every filter on every kind of value.",
                      [f"({value}) | {name}" for name in filters if name not in UNFIT for value in inputs])
    yield from packed("tests/arguments", "Tests with arguments, right and wrong ones.", complete("tests", tests, " is"))
    yield from packed("tests/inputs", "Every test on every kind of value.",
                      [f"({value}) is {name}" for name in tests for value in inputs
                       if name not in NO_NUMBERS or not value[-1].isdigit() and value not in ("true", "false")])
    yield from packed("methods/all", "What values have of their own: methods, items, slices; and the globals.", lines("methods"))
    yield from packed("expressions/all", "Operators, literals and statements.", lines("expressions"))


def lines(name):
    rows = (HERE / f"{name}.txt").read_text().splitlines()
    return list(dict.fromkeys(row for row in rows if row and row[0] != "#" or row.startswith("#}")))


def complete(name, wanted, sign):
    """The table's lines; none of `wanted` may be missing after a `sign` in it."""
    rows = lines(name)
    words = {re.match(r"[\w']*", part.removeprefix("not "))[0] for row in rows for part in re.split(rf"{re.escape(sign)} ?", row)[1:]}
    if missing := [w for w in wanted if w not in words]:
        raise SystemExit(f"{HERE / name}.txt has no line for: {', '.join(missing)}")
    return rows


def packed(name, about, rows, variables=""):
    for n, start in enumerate(range(0, len(rows), PER_CASE), 1):
        yield f"{name}_{n}", playbook(about, rows[start:start + PER_CASE], variables)


def playbook(about, rows, variables=""):
    entries = ",\n".join(f"    {quoted(plain(row))}: {quoted(template(row))}" for row in rows)
    return f"""# {about}
hosts: 1 local
checks: {len(rows)}

- hosts: all
  gather_facts: false
  vars:
    e: {{
{entries}}}
{variables}  tasks:
    - debug: {{msg: "{{{{ [e[item] | type_debug, e[item]] }}}}"}}
      loop: "{{{{ e.keys() }}}}"
      ignore_errors: true
"""


def template(row):
    row = row.translate(CONTROL)
    return row if "{{" in row or "{%" in row or "{#" in row else "{{ " + row + " }}"


def plain(row):
    for sign in ("{{", "{%", "{#"):
        row = row.replace(sign, "{ " + sign[1])
    return row


def quoted(text):
    return json.dumps(text, ensure_ascii=False)
