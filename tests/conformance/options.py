"""How each option of each module is proved, for docs/compatibility.md: `rows()`.

What exists says Ansible's own documentation: `tests/data/modules.json`, and `tests/data/collections.json` for the modules
of collections that fanfare has. An option counts as compared when a task of a conformance case, or of a case of
`tests/machines`, gives it: such a task runs through Ansible and fanfare; so does a task of `tests/families`, unless its
`when` names the tool. It counts as tested when an example or a test of the
module gives it, or a test of the engine. What is not done is in `unsupported.txt`, with the reason; a test of the modules
(`modules/laws/options.rs`) holds that list against what they take.

    python3 tests/conformance/options.py ORACLE_BIN     writes collections.json anew
"""
import functools
import json
import pathlib
import re
import subprocess
import sys

import corpus

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# What is written instead of an option, or stands for any.
FREE = {"free_form", "free-form", "key_value"}
KEY = re.compile(r"""["']?([A-Za-z_][\w.-]*)["']?\s*:(?=[\s}\]]|$)""")
WORD = re.compile(r"(?<![\w.])([A-Za-z_][\w-]*)=(?!=)")
# What is before a value: an anchor, a tag.
BEFORE = re.compile(r"(?:[&!][\w.]*\s+)*")


@functools.cache
def documented():
    """{module: {option: [aliases]}}, of Ansible's own modules and of the collections'."""
    own = json.loads((ROOT / "tests/data/modules.json").read_text())
    found = {name: {option: says.get("aliases") or [] for option, says in module["options"].items()} for name, module in own.items()}
    return found | json.loads((ROOT / "tests/data/collections.json").read_text())


@functools.cache
def names():
    """{name as it may stand in an argument: option}, by module."""
    return {module: {name: option for option, aliases in options.items() for name in [option, *aliases]}
            for module, options in documented().items()}


# Modules that are one here.
KIN = [{"systemd", "systemd_service"}]
CALL = re.compile(r"""(?m)(?<![\w.'"-])["']?((?:[a-z_]\w*\.)*([a-z_]\w*))["']?:(?=[\s]|$)""")
INLINE = re.compile(r"(?m)(?:\b(?:local_)?action:\s*|-m\s+)[\"']?(?:\w+\.)*([a-z_]\w*)(.*)$")


def given(text):
    """{(module, option)} of what the tasks in a text give: YAML, as people write tasks."""
    found, last = set(), None
    anchors = {m[1]: keys(text, m.end())[0] for m in re.finditer(r"&(\w+)\s", text)}
    for m in CALL.finditer(text):
        module = m[2] if m[2] in documented() else None
        if module is None and m[2] != "args":
            continue
        at = m.end() + len(BEFORE.match(text[m.end():].lstrip(" "))[0]) + len(text[m.end():]) - len(text[m.end():].lstrip(" "))
        options, scalar = keys(text, at, m.start(1))
        if star := re.match(r"\s*\*(\w+)", text[m.end():m.end() + 40]):
            options = anchors.get(star[1], set())
        for merged in re.findall(r"<<:\s*\*(\w+)", text[at:at + 400]) if "<<" in options else []:
            options = options | anchors.get(merged, set())
        if m[2] == "args":
            found |= named(last, options) if last else set()
            continue
        last = module
        found |= named(module, options)
        if scalar:
            found |= spoken(module, scalar)
        if "combine(item)" in scalar:
            found |= named(module, looped(text, m.start(1)))
    for m in INLINE.finditer(text):
        if m[1] in documented():
            found |= spoken(m[1], m[2].replace("-a ", " ").strip(" \"'"))
    return found


def named(module, options):
    kin = next((some for some in KIN if module in some), {module})
    return {(name, known) for name in kin for o in options if (known := names()[name].get(o))}


def spoken(module, text):
    """Of `module: text`: free form and `key=value`."""
    free = [option for option in documented()[module] if option in FREE]
    options = named(module, WORD.findall(text))
    return options | {(module, option) for option in free if text}


def keys(text, at, start=None):
    """The keys of the mapping that stands there, and the text where none does. `start` is where its own key begins."""
    rest = text[at:at + 1].strip(" ") and text[at:]
    rest = text[at:].lstrip(" ")
    if rest.startswith("{"):
        return flow(rest), ""
    line, _, below = rest.partition("\n")
    if line.split(" #")[0].strip(" ,") not in ("", ">", ">-", "|", "|-") or start is None:
        return set(), line.strip(" \"',}")
    column = start - (text.rfind("\n", 0, start) + 1)
    found, inner, words = set(), None, []
    for row in below.split("\n"):
        if not row.strip() or row.strip().startswith("#"):
            continue
        indent = len(row) - len(row.lstrip(" "))
        if indent <= column:
            break
        inner = indent if inner is None else inner
        if indent == inner and (m := KEY.match(row.strip())):
            found.add(m[1])
        elif indent == inner:
            words.append(row.strip())
    if line.strip()[:1] in (">", "|"):
        return set(), " ".join(words)
    return found, ""


def looped(text, start):
    """The keys of the mappings that the task around `start` loops over, each in a line of its own or `[{…}, {…}]`."""
    dash = text.rfind("- ", 0, start) - (text.rfind("\n", 0, start) + 1)
    task = re.split(rf"\n {{0,{max(dash, 0)}}}\S", text[start:])[0]
    found = set()
    for m in re.finditer(r"(?m)^ *- (?=\{)|loop: (?:&\w+ )?\[(?=\{)", task):
        rest = task[m.end():]
        found |= flow(rest)
        while m[0].endswith("[") and (more := re.match(r",\s*(?=\{)", rest := rest[closed(rest):])):
            rest = rest[more.end():]
            found |= flow(rest)
    return found


def closed(text):
    """The place behind the mapping that `text` begins with."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c in "{[") - (c in "}]")
        if depth == 0:
            return i + 1
    return len(text)


def flow(text):
    """The keys of `{…}` at its own level."""
    found, depth, i, fresh = set(), 0, 0, False
    while i < len(text):
        c = text[i]
        if depth == 1 and fresh and not c.isspace():
            fresh = False
            if m := KEY.match(text, i):
                found.add(m[1])
                i = m.end()
                continue
            if text.startswith("<<", i):
                found.add("<<")
        if c in "\"'" and (text[i - 1] in " {[,:(" or depth == 0):
            i = quoted(text, i)
            continue
        if c in "{[":
            depth += 1
            fresh = depth == 1
        elif c in "}]":
            depth -= 1
            if depth == 0:
                break
        elif c == "," and depth == 1:
            fresh = True
        i += 1
    return found


def quoted(text, i):
    """The place behind a quoted text."""
    quote, i = text[i], i + 1
    while i < len(text) and text[i] != quote:
        i += 2 if text[i] == "\\" and quote == '"' else 1
    return i + 1


@functools.cache
def compared():
    texts = [text for _, text in corpus.texts()]
    texts += [path.read_text() for path in sorted((ROOT / "tests/machines/cases").glob("*.yml"))]
    # What Ansible does not run is no comparison. Such tasks stand on a line of their own.
    families = [path.read_text() for path in sorted((ROOT / "tests/families").glob("*.yml"))]
    texts += ["\n".join(line for line in text.splitlines() if 'tool == "fanfare"' not in line) for text in families]
    return set().union(*map(given, texts))


@functools.cache
def tested():
    """What the modules' examples and tests give, and the tests of the engine."""
    found = set()
    for path in sorted((ROOT / "modules").rglob("*.rs")):
        module = path.relative_to(ROOT / "modules").parts[0].removesuffix(".rs")
        text = path.read_text()
        examples = "\n".join(line.strip().removeprefix("///").removeprefix(" ") for line in text.splitlines() if line.strip().startswith("///"))
        found |= set().union(set(), *(given(block) for block in re.findall(r"```yaml\n(.*?)```", examples, re.S)))
        if module in documented():
            found |= asserted(module, text if path.name == "tests.rs" else text.partition("#[cfg(test)]")[2])
    for path in sorted((ROOT / "tests/engine").rglob("*.rs")):
        found |= given(path.read_text())
    return found


def asserted(module, text):
    """The options in a test's `json!({…})` that are arguments: those with no key that is none."""
    found, known = set(), names()[module]
    for m in re.finditer(r"json!\(\{", text):
        options = flow(text[m.end() - 1:])
        if options and options <= known.keys():
            found |= named(module, options)
    return found | named(module, re.findall(r'args\["(\w+)"\] = ', text))


def unsupported():
    """[(module, option, value or nothing, reason)]"""
    rules = [(module, *what.partition("=")[::2], reason) for module, what, reason in corpus.rules("unsupported.txt")]
    for module, option, _, _ in rules:
        if option not in documented().get(module, {}):
            raise SystemExit(f"unsupported.txt: there is no {module}.{option}")
    return rules


def proofs():
    """{module: {compared, tested, neither, refused: [options]}}: each option of the documentation once."""
    absent = {(module, option) for module, option, value, _ in unsupported() if not value}
    found = {}
    for module, options in sorted(documented().items()):
        kinds = found[module] = {"compared": [], "tested": [], "neither": [], "refused": []}
        for option in sorted(options):
            one = (module, option)
            kind = "refused" if one in absent else "compared" if one in compared() else "tested" if one in tested() else "neither"
            kinds[kind].append(option)
    return found


def learn(oracle):
    """Writes collections.json anew, from what the documentation of the oracle's collections says."""
    table = re.findall(r'\("([a-z]+\.[a-z]+)", "(\w+)"\)', (ROOT / "modules/lib.rs").read_text())
    said = subprocess.check_output([f"{oracle}/ansible-doc", "--json", *map(".".join, table)], text=True)
    found = {name.rpartition(".")[2]: {option: sorted(says.get("aliases") or []) for option, says in sorted(module["doc"]["options"].items())}
             for name, module in json.loads(said).items()}
    (ROOT / "tests/data/collections.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    learn(sys.argv[1])
