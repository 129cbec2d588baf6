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

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "fanfare/conformance"
SUPPORT = pathlib.Path(__file__).resolve().parent.parent / "support"
IGNORED = re.compile(r"/(\.ansible|\.cache|\.rpmdb|\.fanfare|\.local|\.ssh|\.bash_history)(/|$)")


# The process groups of the runs under way.
LIVE = set()


class Ansible:
    """The oracle: `bin` is the directory of ansible-core's programs."""
    seconds = 240
    programs = {"run": "ansible-playbook", "adhoc": "ansible", "inventory": "ansible-inventory"}

    def __init__(self, bin):
        self.bin = pathlib.Path(bin)
        said = subprocess.check_output([self.bin / "ansible", "--version"], text=True)
        self.version = re.search(r"core ([\d.]+)", said)[1]
        self.name = f"ansible-core {self.version}"
        self.forks = {}         # slot -> the process that has ansible-core imported and waits

    def has(self, collection):
        """Whether it comes with that collection (the package `ansible` does, ansible-core alone does not)."""
        place = "lib/python3*/site-packages/ansible_collections/" + collection.replace(".", "/")
        return any(self.bin.parent.glob(place))

    @contextlib.contextmanager
    def session(self, case, env, slot):
        """Importing ansible-core takes longer than most runs, so it is done once: for all cases of a slot, but for
        those with settings of their own."""
        if case.env or any(path == "ansible.cfg" for path, *_ in case.files):
            fork = Fork(self.bin, env, slot.case)
            try:
                yield lambda verb, args: fork.play([self.programs[verb], *args], slot.case, case.stdin, self.seconds)
            finally:
                fork.end()
            return
        fork = self.forks.get(slot) or self.forks.setdefault(slot, Fork(self.bin, env, slot.path))
        yield lambda verb, args: fork.play([self.programs[verb], *args], slot.case, case.stdin, self.seconds)

    def close(self):
        for fork in self.forks.values():
            fork.end()
        self.forks.clear()


class Fork:
    """ansible-core, imported once in an environment."""

    def __init__(self, bin, env, cwd):
        self.process = subprocess.Popen([bin / "python3", SUPPORT / "forked.py"], env=env, cwd=cwd, text=True, start_new_session=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        LIVE.add(self.process.pid)

    def play(self, argv, cwd, stdin, seconds):
        print(json.dumps({"argv": argv, "cwd": str(cwd), "stdin": stdin, "seconds": seconds}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"ansible-core ended early, at {argv}")
        said = json.loads(line)
        return said["rc"], said["out"], said["err"]

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        LIVE.discard(self.process.pid)


class Fanfare:
    # Loaded machines are slow, and how long it takes is not what is compared.
    seconds = 240

    def __init__(self, path):
        self.path, self.name = str(path), "fanfare"

    @contextlib.contextmanager
    def session(self, case, env, slot):
        verbs = {"run": ["run"], "adhoc": [], "inventory": ["inventory"]}
        yield lambda verb, args: execute([self.path, *verbs[verb], *args], env, slot.case, case.stdin, self.seconds)

    def close(self):
        """Nothing waits."""


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
    here = pathlib.Path(__file__).parent
    harness = b"".join(file.read_bytes() for file in (here / "bed.py", here / "tool.py", SUPPORT / "hosts", SUPPORT / "forked.py"))
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
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in list(LIVE):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, sign)
        # A fork of the oracle ends its own run.
        time.sleep(0.2)


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
