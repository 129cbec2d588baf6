"""What two records of the same case differ in, by aspect.

    exit     the exit code                       recap    the counts per host
    order    plays, tasks and handlers as headed state    paths, contents, modes, links, after each run
    results  each host's status, items, result   diff     the lines --diff shows, per host
    text     the words on stdout (on request)    wording  the message of a failure (told, never counted)
"""
import dataclasses
import itertools
import json
import re

HEAD = re.compile(r"^(PLAY|TASK|RUNNING HANDLER|NO MORE HOSTS LEFT)\b(?: \[(.*)\])? \**$")
LINE = re.compile(r"^(ok|changed|skipping|failed|fatal|included|FAILED - RETRYING): ?(.*)$")
HOST = re.compile(r"^\[([^\]]+)\]:? ?(FAILED!|UNREACHABLE!)? ?(?:\(item=(.*?)\) ?(?==>|$))?(?:=> ?)?(?:\(item=(.*?)\) ?(?:=> ?|$))?(.*)$", re.S)
RECAP = re.compile(r"^(\S+) +: +(ok=\d.*?)\s*$")
ADHOC = re.compile(r"^(\S+) \| ([A-Z]+)!?(?: \| rc=(-?\d+))? (=>|>>) ?(.*)$")
MESSAGES = ("[ERROR]", "[WARNING]", "[DEPRECATION WARNING]", "error: ", "warning: ", "deprecated: ")
# Keys of a result that no two runs share, or that speak of the tool and not of the work.
VOLATILE = {"delta", "start", "end", "date", "atime", "mtime", "ctime", "inode", "dev", "elapsed", "version", "cache_update_time", "exception", "pid",
            "ansible_job_id", "results_file", "erased", "child_pid", "invocation", "warnings", "deprecations", "ansible_facts.discovered_interpreter_python", "remote_tmp"}
# What a failure may tell besides, on either side: how the file was, which call it was.
ASIDE = {"msg", "message", "errno", "path", "dest", "src", "uid", "gid", "owner", "group", "mode", "size", "state", "failed", "details",
         "failed_when_suppressed_exception", "module_stderr", "module_stdout"}
# What ssh says when it gives a terminal back.
CLOSED = re.compile(r"Shared connection to \S+ closed\.\s*$")
# What is known of tasks in the background, by names that no two runs share.
JOBS = re.compile(r"/\.ansible_async(/|$)")
TEMPORARY = re.compile(r"/\.ansible/tmp/|/ansible-local-|/ansible-tmp-|/\.cache/|/ansible\.[^/ ]*$|/\.fanfare-[0-9a-f]+$")


@dataclasses.dataclass
class Difference:
    aspect: str
    run: str
    oracle: str
    tool: str


def differences(case, oracle, tool):
    for run, a, b in zip(case.runs, oracle, tool):
        for aspect, left, right in compare(case, run, a, b):
            yield Difference(aspect, str(run), left, right)


def lasting(state):
    return {path: what for path, what in state.items() if not JOBS.search(path)}


def compare(case, run, a, b):
    if run.refuse:
        ends = [f"{'well' if r['rc'] == 0 else 'badly'}: exit {r['rc']} {last(r)}" for r in (a, b)]
        if (a["rc"] == 0) != (b["rc"] == 0):
            yield "exit", *ends
        return
    if a["rc"] != b["rc"]:
        yield "exit", str(a["rc"]), f"{b['rc']}   {last(b)}"
    yield from ((("state",) + d) for d in mapping(lasting(a["state"]), lasting(b["state"])))
    if run.text:
        yield from lines("text", words(a["out"]), words(b["out"]))
    elif run.verb == "inventory":
        left, right = parsed(a["out"]), parsed(b["out"])
        if left != right:
            yield from lines("results", pretty(left), pretty(right))
    elif run.verb == "adhoc":
        yield from results(adhoc(a["out"]), adhoc(b["out"]))
    else:
        left, right = played(a["out"]), played(b["out"])
        if case.loose:
            left, right = gathered(left), gathered(right)
        yield from lines("order", left.heads, right.heads)
        yield from ((("recap",) + d) for d in mapping(left.recap, right.recap))
        if left.heads == right.heads:
            for x, y in zip(left.blocks, right.blocks):
                yield from results(x, y)


def last(record):
    """The most telling line of a run that ended otherwise than it should."""
    said = [w for w in (record["err"].splitlines() or record["out"].splitlines()) if w.strip()]
    return next((w for w in said if "rror" in w), said[-1] if said else "")[:200]


def results(left, right):
    """Differences of two {host: [entry]}, an entry being (status, item, result, text)."""
    for host in sorted(left.keys() | right.keys()):
        x, y = left.get(host, []), right.get(host, [])
        if all(entry[0] == "included" for entry in x + y):
            # Ansible names what hosts include in the order in which their answers came.
            x, y = sorted(x, key=str), sorted(y, key=str)
        for i in range(max(len(x), len(y))):
            a, b = (z[i] if i < len(z) else ("-", "", None, "") for z in (x, y))
            if a[:2] != b[:2]:
                yield "results", f"{host}: {show(a)}", f"{host}: {show(b)}"
            elif a[2] != b[2]:
                yield from bodies(f"{host} {' '.join(w for w in a[:2] if w)}", a, b)
            if a[3] != b[3]:
                yield from lines("diff", a[3].splitlines(), b[3].splitlines())


def bodies(where, a, b):
    x, y = a[2], b[2]
    if not (isinstance(x, dict) and isinstance(y, dict)):
        yield "results", f"{where}: {pretty_line(x)}", f"{where}: {pretty_line(y)}"
        return
    bad = a[0] in ("failed", "fatal", "ignored", "UNREACHABLE", "FAILED")
    for key in sorted(x.keys() | y.keys()):
        # That a failure changed nothing goes without saying.
        if bad and key == "changed" and not (x.get(key) or y.get(key)):
            continue
        if x.get(key, ...) != y.get(key, ...):
            aspect = "wording" if bad and key in ASIDE else "results"
            left, right = parted(pretty_line(x.get(key, "-")), pretty_line(y.get(key, "-")))
            yield aspect, f"{where} {key}: {left}", f"{where} {key}: {right}"


def show(entry):
    return " ".join([entry[0], entry[1], "" if entry[2] is None else pretty_line(entry[2])]).strip()[:400]


def parted(a, b):
    """Two texts from shortly before the place where they part."""
    same = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return (a, b) if same < 60 else ("…" + a[same - 40:], "…" + b[same - 40:])


def pretty_line(value):
    return json.dumps(value, sort_keys=True) if not isinstance(value, str) else value


def pretty(value):
    return json.dumps(value, sort_keys=True, indent=1).splitlines() if not isinstance(value, str) else value.splitlines()


def mapping(left, right):
    for key in sorted(left.keys() | right.keys()):
        a, b = left.get(key, "-"), right.get(key, "-")
        if a != b:
            a, b = parted(pretty_line(a), pretty_line(b))
            yield f"{key}: {a[:300]}", f"{key}: {b[:300]}"


def lines(aspect, left, right):
    """The first place where two lists part, with what comes after."""
    if left == right:
        return
    i = next((i for i, (a, b) in enumerate(zip(left, right)) if a != b), min(len(left), len(right)))
    yield aspect, "\n".join(left[i:i + 6]) or "(nothing more)", "\n".join(right[i:i + 6]) or "(nothing more)"


def words(text):
    """Rows without the length of the stars; rows of host names, which ansible shuffles, in order."""
    rows = [re.sub(r"\*{3,}", "***", line).rstrip() for line in text.strip().splitlines()]
    groups = itertools.groupby(rows, key=lambda row: re.fullmatch(r" {4,6}\w+", row) is not None)
    return [row for shuffled, some in groups for row in (sorted(some) if shuffled else some)]


@dataclasses.dataclass
class Played:
    heads: list
    blocks: list        # one {host: [entry]} a head
    recap: dict


def played(out):
    """What the default callback told, taken apart."""
    told = Played(["(before)"], [{}], {})
    rows, pending, latest, message = out.splitlines(), [], None, False
    i = 0
    while i < len(rows):
        row, i = rows[i], i + 1
        if row.startswith("PLAY RECAP"):
            for row in rows[i:]:
                if m := RECAP.match(row):
                    told.recap[m[1]] = m[2]
            break
        # A warning or an error with its excerpt goes on until something else begins.
        message = row.startswith(MESSAGES) or (
            message and not (HEAD.match(row) or LINE.match(row) or row.startswith("--- ")))
        if message:
            continue
        if m := HEAD.match(row):
            told.heads.append(row.rstrip(" *"))
            told.blocks.append({})
            pending = []
        elif row.startswith("...ignoring"):
            for entries in told.blocks[-1].values():
                if entries and entries[-1][0] in ("fatal", "failed") and entries[-1] is latest:
                    entries[-1] = ("ignored",) + entries[-1][1:]
        elif m := LINE.match(row):
            rest = m[2]
            # A result of many lines ends with a brace (or a bracket) in the first column.
            if rest.endswith(("=> {", "=> [")):
                while i < len(rows):
                    rest, i = rest + "\n" + rows[i], i + 1
                    if rows[i - 1][:1] in ("}", "]"):
                        break
            host, latest = entry(m[1], rest, pending)
            told.blocks[-1].setdefault(host, []).append(latest)
            pending = []
        elif row.startswith("ASYNC POLL"):
            # How often depends on how long a look takes.
            continue
        elif row.strip():
            pending.append(re.sub(r"^(ASYNC .*: jid)=\S+", r"\1", row))
    return told


def gathered(told):
    """The same with one block a heading, wherever it stood. What was included has a block of its own: other hosts'
    headings may come between it and its own."""
    blocks, included = {}, []
    for head, block in zip(told.heads, told.blocks):
        for host, entries in block.items():
            included += [entry for entry in entries if entry[0] == "included"]
            rest = [entry for entry in entries if entry[0] != "included"]
            blocks.setdefault(head, {}).setdefault(host, []).extend(rest)
    if included:
        blocks["included"] = {"": sorted(included, key=str)}
    return Played(sorted(blocks), [blocks[h] for h in sorted(blocks)], told.recap)


def entry(status, rest, pending):
    """(host, entry) of one line of a task; `pending` are the lines before it: its diff, or other words."""
    text = "\n".join(re.sub(r"^(\+\+\+|---) (before|after)\b.*$", r"\1 \2", w) for w in pending)
    text = re.sub(r'("[am]time": )[\d.]+', r"\1…", text)
    m = HOST.match(rest)
    if not m:
        if status == "included":
            what, _, hosts = rest.partition(" for ")
            hosts, arrow, item = hosts.partition(" =>")
            rest = f"{what} for {', '.join(sorted(hosts.split(', ')))}{arrow}{item}"
        return "", (status, rest, None, text)
    host, bad, item, body = m[1], m[2], m[3] or m[4], m[5]
    if bad == "UNREACHABLE!":
        status = "UNREACHABLE"
    if not body:
        return host, (status, item or "", None, text)
    return host, (status, item or "", tidy(parsed(body)), text)


def adhoc(out):
    """{host: [entry]} of the minimal callback's text."""
    hosts, rows, i, message = {}, out.splitlines(), 0, False
    while i < len(rows):
        row, m, i = rows[i], ADHOC.match(rows[i]), i + 1
        if not m:
            message = row.startswith(MESSAGES) or message and not row.startswith("--- ")
            if row.strip() and not message:
                hosts.setdefault("", []).append(("words", row, None, ""))
            continue
        body, message = [m[5]] if m[5] else [], False
        while i < len(rows) and not ADHOC.match(rows[i]) and not rows[i].startswith((*MESSAGES, "--- ")):
            body, i = body + [rows[i]], i + 1
        # What ansible's terminal says at its end.
        text = CLOSED.sub("", "\n".join(body)).strip()
        value = tidy(parsed(text)) if m[4] == "=>" else text
        hosts.setdefault(m[1], []).append((m[2], m[3] or "", value, ""))
    return hosts


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def tidy(value):
    """A result without its volatile keys."""
    if isinstance(value, dict):
        if "stderr" in value:
            value = value | {k: v for k, v in (("stderr", CLOSED.sub("", value["stderr"])),
                                               ("stderr_lines", [w for w in value.get("stderr_lines", []) if not CLOSED.match(w)]))
                             if k in value}
        return {k: tidy(v) for k, v in value.items()
                if k not in VOLATILE and not (isinstance(v, str) and k in ("src", "source", "tempfile") and TEMPORARY.search(v))}
    if isinstance(value, list):
        return [tidy(v) for v in value]
    return value
