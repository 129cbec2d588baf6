"""Running a case with one tool: what it said, how it ended, and what it left behind."""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import time

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "fanfare/differential"
IGNORED = re.compile(r"/(\.ansible|\.cache|\.fanfare|\.local|\.ssh|\.bash_history)(/|$)")


# The process groups of the runs under way.
LIVE = set()
# From so many runs on a case is worth an oracle that forks.
MANY = 4


class Ansible:
    """The oracle: `bin` is the directory of ansible-core's programs."""
    seconds = 240

    def __init__(self, bin):
        self.bin = pathlib.Path(bin)
        said = subprocess.check_output([self.bin / "ansible", "--version"], text=True)
        self.version = re.search(r"core ([\d.]+)", said)[1]
        self.name = f"ansible-core {self.version}"

    def argv(self, verb):
        return [str(self.bin / {"run": "ansible-playbook", "adhoc": "ansible", "inventory": "ansible-inventory"}[verb])]

    @contextlib.contextmanager
    def session(self, case, env, slot):
        """Importing ansible-core takes longer than most runs: where there are many, it is done once."""
        if len(case.runs) < MANY or case.stdin or any(run.verb != "run" for run in case.runs):
            yield one_by_one(self, case, env, slot)
            return
        out, err = slot.path / "said.out", slot.path / "said.err"
        child = subprocess.Popen([self.bin / "python3", pathlib.Path(__file__).parent / "forked.py"], env=env, cwd=slot.case,
                                 text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def play(_, args):
            out.write_text("")
            err.write_text("")
            print(json.dumps({"argv": args, "out": str(out), "err": str(err), "seconds": self.seconds}), file=child.stdin, flush=True)
            rc = json.loads(child.stdout.readline())
            return rc, *(f.read_text(errors="replace") for f in (out, err))

        try:
            yield play
        finally:
            child.stdin.close()
            child.wait()


class Fanfare:
    seconds = 60

    def __init__(self, path):
        self.path, self.name = str(path), "fanfare"

    def argv(self, verb):
        return [self.path] + ([] if verb == "adhoc" else [verb])

    @contextlib.contextmanager
    def session(self, case, env, slot):
        yield one_by_one(self, case, env, slot)


def one_by_one(tool, case, env, slot):
    return lambda verb, args: execute(tool.argv(verb) + args, env, slot.case, case.stdin, tool.seconds)


def observe(tool, case, slot):
    """The record of all of the case's runs: a list of {rc, out, err, state}, plain enough to compare and to keep."""
    slot.renew(case)
    records, env = [], environment(case, slot)
    with tool.session(case, env, slot) as play:
        for run in case.runs:
            given = ["-i", f"{slot.path}/conn/hosts.json"] if case.hosts else []
            if run.verb == "adhoc":
                args = run.args[:1] + given + case.each + run.args[1:]
            else:
                args = given + case.each + run.args
            rc, out, err = play(run.verb, [a.replace("@SLOT@", str(slot.path)) for a in args])
            records.append({"rc": rc, "out": slot.plain(out), "err": slot.plain(err), "state": state(slot)})
    return records


def remembered(tool, case, slot, anew=False):
    """As `observe`, from the cache where the same oracle has seen the same case before, unless it shall look anew."""
    harness = b"".join((pathlib.Path(__file__).parent / f).read_bytes() for f in ("bed.py", "tool.py", "../support/hosts"))
    key = hashlib.sha256(f"{tool.name} {case.digest} {os.getuid()} {slot.user.pw_name}".encode() + harness).hexdigest()
    kept = CACHE / f"{case.name.replace('/', '.')}.{key[:24]}.json"
    if kept.exists() and not anew:
        return json.loads(kept.read_text())
    records = observe(tool, case, slot)
    if all(r["rc"] != "timeout" for r in records):
        CACHE.mkdir(parents=True, exist_ok=True)
        for old in CACHE.glob(f"{case.name.replace('/', '.')}.*.json"):
            # Another worktree may have a harness of its own.
            if time.time() - old.stat().st_mtime > 86400:
                old.unlink()
        kept.write_text(json.dumps(records))
    return records


def environment(case, slot):
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(slot.home),
            "LC_ALL": "C.UTF-8", "TERM": "dumb", "TZ": "UTC", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{slot.path}/cp", "ANSIBLE_RETRY_FILES_ENABLED": "0", **{k: v.replace("@SLOT@", str(slot.path)) for k, v in case.env.items()}}


def execute(argv, env, cwd, stdin, seconds):
    child = subprocess.Popen(argv, env=env, cwd=cwd, text=True, errors="replace", start_new_session=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    LIVE.add(child.pid)
    try:
        out, err = child.communicate(stdin, timeout=seconds)
        return child.returncode, out, err
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, err = child.communicate()
        return "timeout", out, err
    finally:
        LIVE.discard(child.pid)


def end_all():
    """Ends what still runs: nothing of a run that was broken off may go on."""
    for pid in list(LIVE):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def state(slot):
    """What is on the hosts and on the control node: path -> [kind, mode, content]."""
    found = {}
    roots = [pathlib.Path(root) / part for *_, root in slot.hosts for part in ("fs", "home")]
    for root in [*roots, slot.path / "local", slot.case, slot.out]:
        for at, dirs, names in os.walk(root):
            for name in dirs + names:
                path = pathlib.Path(at, name)
                short = "/" + str(path.relative_to(slot.path))
                if not IGNORED.search(short):
                    found[short] = entry(path, slot)
    return found


def entry(path, slot):
    info = path.lstat()
    mode = f"{stat.S_IMODE(info.st_mode):04o}"
    if stat.S_ISLNK(info.st_mode):
        return ["link", "", slot.plain(os.readlink(path))]
    if stat.S_ISDIR(info.st_mode):
        return ["directory", mode, ""]
    if not stat.S_ISREG(info.st_mode):
        return ["special", mode, ""]
    data = path.read_bytes()
    text = slot.plain(data.decode("utf-8", "surrogateescape")) if len(data) < 20000 else hashlib.sha256(data).hexdigest()
    return [f"file of {info.st_nlink}" if info.st_nlink > 1 else "file", mode, text.encode("utf-8", "backslashreplace").decode()]
