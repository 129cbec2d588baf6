"""The cases: one text file each, `cases/<topic>/<name>.case`, and those that `tables` writes, of the same form.

    # What it shows, in one line.
    hosts: 2                    how many hosts (default 1); `2 local`: connection local; `0`: no inventory given
    needs: sudo                 skipped where `sudo -n true` does not work for the hosts' login
    needs: svn python3-lxml     skipped where the program, or that module for the hosts' Python, is not there
    needs: ansible.posix        skipped where the oracle comes without that collection and no recording is there
    env: ANSIBLE_X=1            for the tool, repeatable
    each: --limit t1            arguments for every run
    run: site.yml --check       one run of a playbook; default `site.yml`; repeatable, in order, on the same hosts
    adhoc: all -m ping          one ad-hoc command
    inventory: --list           one query of the inventory
    refuse: site.yml            like run, but only whether it ends well counts
    text: site.yml --list-tags  like run, and the words on stdout count too
    runs: check first again     short for the runs --check --diff, --diff, --diff of site.yml
    loose: order                tasks may interleave (strategy free): results are compared per task, not per heading
    stdin: yes\\n                what the tool may read (default: nothing)
    checks: 250                 how many things a generated case looks at (default 1)

Then a blank line and the text of site.yml, or files: `-- path --` and its text. `-- path (0755) --` sets the mode.
"""
import dataclasses
import hashlib
import pathlib
import re
import shlex

import tables

CASES = pathlib.Path(__file__).resolve().parent / "cases"
FILE = re.compile(r"^-- (\S+)(?: \((0\d+)\))? --$")
RUNS = {"check": ["site.yml", "--check", "--diff"], "first": ["site.yml", "--diff"], "again": ["site.yml", "--diff"]}


@dataclasses.dataclass
class Run:
    verb: str                   # run, adhoc, inventory
    args: list
    text: bool = False
    refuse: bool = False        # only whether it ends well counts

    def __str__(self):
        return shlex.join(([] if self.verb == "run" else [self.verb]) + self.args)


@dataclasses.dataclass
class Case:
    name: str
    about: str
    hosts: int = 1
    local: bool = False
    needs: list = dataclasses.field(default_factory=list)
    env: dict = dataclasses.field(default_factory=dict)
    each: list = dataclasses.field(default_factory=list)
    runs: list = dataclasses.field(default_factory=list)
    files: list = dataclasses.field(default_factory=list)       # (path, mode, text)
    stdin: str = ""
    loose: bool = False
    checks: int = 1
    digest: str = ""


def parse(name, text):
    head, _, rest = text.partition("\n\n")
    lines = head.splitlines()
    case = Case(name, lines[0].lstrip("# "), digest=hashlib.sha256(text.encode()).hexdigest())
    for line in lines[1:]:
        key, _, value = line.partition(": ")
        words = shlex.split(value)
        match key:
            case "hosts":
                case.hosts, case.local = int(words[0]), "local" in words
            case "needs":
                case.needs += words
            case "env":
                case.env.update(w.split("=", 1) for w in words)
            case "each":
                case.each += words
            case "run" | "text" | "refuse":
                case.runs.append(Run("run", words, key == "text", key == "refuse"))
            case "adhoc" | "inventory":
                case.runs.append(Run(key, words))
            case "runs":
                case.runs += [Run("run", RUNS[w]) for w in words]
            case "loose":
                case.loose = True
            case "checks":
                case.checks = int(value)
            case "stdin":
                case.stdin = value.encode().decode("unicode_escape")
            case _:
                raise SystemExit(f"{name}: unknown line in the head: {line!r}")
    case.runs = case.runs or [Run("run", ["site.yml"])]
    case.files = list(files(rest))
    return case


def files(text):
    name, mode, body = "site.yml", None, []
    for line in text.splitlines(keepends=True):
        if m := FILE.match(line.rstrip("\n")):
            if "".join(body).strip():
                yield name, mode, "".join(body)
            name, mode, body = m[1], m[2], []
        else:
            body.append(line)
    if body or name != "site.yml":
        yield name, mode, "".join(body)


def texts():
    """(name, text) of every case, in order of name."""
    written = ((f"{p.parent.name}/{p.stem}", p.read_text()) for p in CASES.glob("*/*.case"))
    return sorted([*written, *tables.cases()])


def load(patterns):
    """The cases whose name holds one of `patterns` (all of them when there is none), in order of name."""
    return [parse(name, text) for name, text in texts() if not patterns or any(w in name for w in patterns)]


def rules(name):
    """The lines of a list beside this file, split at their bars."""
    lines = (CASES.parent / name).read_text().splitlines()
    return [[part.strip() for part in line.split("|", 3)] for line in lines if line.strip() and line[0] != "#"]
