"""Fresh Debian machines that run systemd, and what is different on them in the end: for `versus` and `roles`."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "fanfare"
# What a machine is made from: a new number is another image.
IMAGE = sorted(set(re.findall(r"(?:machines|peer)-\d+", (HERE / "boot").read_text())))
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# Files that are a tool's own, that hold times, or that say which machine it is.
IGNORED = re.compile(r"^/(tmp|run|proc|sys|dev|var/log|var/tmp|var/cache|var/lib/systemd|var/lib/sudo|var/lib/apt/(periodic|lists|extended_states.*)|"
                     r"var/lib/dpkg/(lock.*|triggers/.*|.*-old)|etc/(machine-id|hostname|fstab\.\d+\.\d{4}-.*~|systemd/system/wire.service|.*-|\.pwd\.lock|\.updated|resolv.conf|ld.so.cache)|"
                     r".*/\.ansible|.*/\.fanfare|.*/\.cache|.*__pycache__|var/\.updated|root/\.bash_history)(/|$)")

# What is written on a machine where nobody does anything but log in, and where the tools themselves are kept.
RESTLESS = re.compile(r"^/(tmp|run|proc|sys|dev|var/tmp|var/log|var/lib/systemd/(timers|timesync)|(home/deploy/[.](ansible|fanfare)|root/[.]cache/fanfare))(/|$)|^/root(/[.]cache)?$")


def programs(given):
    """The directory of ansible-core's programs; this script then runs with its Python, which reads YAML."""
    found = given or subprocess.run([SUPPORT / "peer", "ansible-core"], stdout=subprocess.PIPE, text=True).stdout.strip()
    if not found:
        print(f"{pathlib.Path(sys.argv[0]).name}: SKIPPED, no ansible-core here")
        sys.exit(69)
    try:
        import yaml  # noqa: F401
    except ImportError:
        os.execv(f"{found}/python3", [f"{found}/python3", *sys.argv])
    return found


class Machines:
    """Two fresh machines; gone at the end. The second one is fanfare's."""

    def __init__(self, ours="peer"):
        self.kinds = ["peer", ours]

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-versus.", dir="/var/tmp"))
        self.keeper = subprocess.Popen([HERE / "boot", self.dir, "2", *self.kinds], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.keeper.stdout.readline().strip() != "ready":
            sys.exit(self.keeper.wait())
        return self

    def copied(self, tool):
        """A copy of the tool under test: a build meanwhile changes nothing."""
        return shutil.copy(tool, self.dir / "fanfare")

    def __exit__(self, *_):
        self.keeper.stdin.close()
        self.keeper.wait()

    def inside(self, n, script):
        """What a script of root's prints on a machine."""
        pid = (self.dir / f"pid{n}").read_text().strip()
        done = subprocess.run(["nsenter", "--all", "--target", pid, "sh", "-eu"], input=script, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": PATH, "HOME": "/root"})
        if done.returncode:
            sys.exit(f"the setup of machine {n} failed:\n{done.stdout}")
        return done.stdout

    def gateways(self):
        """This machine's end of each wire: one below the machine's."""
        for net, last in re.findall(r"ansible_host=(\S+)\.(\d+)", (self.dir / "inventory.ini").read_text()):
            yield f"{net}.{int(last) - 1}"

    def marks(self, n):
        """What a machine has that its image has not, and when each was written: nothing that writes leaves them as they were."""
        top = self.dir / f"upper{n}"
        found = {}
        for at, dirs, names in os.walk(top):
            for name in dirs + names:
                path = pathlib.Path(at, name)
                where = "/" + str(path.relative_to(top))
                if not RESTLESS.search(where):
                    info = path.lstat()
                    when = [] if stat.S_ISDIR(info.st_mode) else [info.st_mtime_ns, info.st_size, info.st_ino]
                    found[where] = [info.st_mode, info.st_uid, info.st_gid, *when]
        return found

    def play(self, n, argv, book, options=(), env=None):
        """Runs a playbook on a machine by a tool; with a home of its own, for the next run, too."""
        home = self.dir / f"home{n}"
        home.mkdir(exist_ok=True)
        env = {"PATH": PATH, "HOME": str(home), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", "TERM": "dumb", "ANSIBLE_PIPELINING": "1", **(env or {})}
        return subprocess.run([*argv, "-i", self.dir / "inventory.ini", "-e", "ansible_python_interpreter=/usr/bin/python3", *options, book],
                              env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def files(self, n):
        """What a machine has that its image has not: path -> kind, mode, owner, and what it holds."""
        found, top = {}, self.dir / f"upper{n}"
        for at, dirs, names in os.walk(top):
            for name in dirs + names:
                path = pathlib.Path(at, name)
                short = "/" + str(path.relative_to(top))
                if IGNORED.search(short):
                    continue
                info = path.lstat()
                kind = {stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFREG: "file", stat.S_IFCHR: "gone"}.get(stat.S_IFMT(info.st_mode), "special")
                if kind == "directory":
                    continue
                what = os.readlink(path) if kind == "link" else content(path, n) if kind == "file" else ""
                mode = "" if kind in ("link", "gone") else f"{stat.S_IMODE(info.st_mode):04o}"
                found[short] = f"{kind} {mode} {info.st_uid}:{info.st_gid} {what}"
        return found


def content(path, n):
    # crontab says when, and from which file.
    data = re.sub(rb"(?m)^# \(\S+ installed on .*\)$", b"# (installed)", path.read_bytes())
    if b"PRIVATE KEY" in data or path.suffix == ".pub":
        return "a key"
    text = data if b"\0" in data else re.sub(rb"\b198\.1[89]\.\d+\.\d+\b", b"ADDRESS", re.sub(rb"\bweb%d\b" % n, b"web", data))
    return text.decode("utf-8", "backslashreplace") if len(text) < 1500 else hashlib.sha256(text).hexdigest()


def short(value):
    text = json.dumps(value, sort_keys=True)
    return text if len(text) < 400 else text[:150] + " … " + text[-150:]
