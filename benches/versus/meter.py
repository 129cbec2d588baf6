"""What a run costs: wall time, CPU of both sides, memory.

CPU is read from two control groups (version 1 with cpuacct, or version 2) that control side and targets are
put into; without them (no root, or a container that forbids it) from getrusage and /proc, which miss
processes that detach themselves, such as ssh's masters.
"""
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def groups():
    """A directory where control groups can be made, and its version; None without."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, at, kind, options = line.split()[:4]
        version = 2 if kind == "cgroup2" else 1 if kind == "cgroup" and "cpuacct" in options.split(",") else None
        if version == 1 or version == 2 and (pathlib.Path(at) / "cpu.stat").exists():
            try:
                probe = pathlib.Path(at) / f"fanfare-probe-{os.getpid()}"
                probe.mkdir()
                probe.rmdir()
                return pathlib.Path(at), version
            except OSError:
                continue
    return None


class Group:
    """The processes of one side. Without control groups only `cpu` of known processes can be told."""

    def __init__(self, name, place):
        self.path, self.version, self.roots = None, 0, []
        if place:
            self.path, self.version = place[0] / f"fanfare-{name}-{os.getpid()}", place[1]
            self.path.mkdir()

    def enter(self):
        """To be called in the child, before exec."""
        if self.path:
            (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def pids(self):
        if self.path:
            return [int(p) for p in (self.path / "cgroup.procs").read_text().split()]
        return descendants(self.roots)

    def cpu(self):
        """Seconds of CPU so far."""
        if self.version == 2:
            stat = dict(line.split() for line in (self.path / "cpu.stat").read_text().splitlines())
            return int(stat["usage_usec"]) / 1e6
        if self.version == 1:
            return int((self.path / "cpuacct.usage").read_text()) / 1e9
        return sum(times(p) for p in self.pids())

    def close(self):
        if self.path:
            end = time.time() + 5
            while self.pids() and time.time() < end:
                time.sleep(0.05)
            try:
                self.path.rmdir()
            except OSError:
                pass


def descendants(roots):
    """`roots` and all their children, as far as /proc tells."""
    parents = {}
    for p in os.listdir("/proc"):
        if p.isdigit():
            try:
                parents[int(p)] = int(pathlib.Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    found, again = set(roots), True
    while again:
        more = {p for p, parent in parents.items() if parent in found} - found
        found, again = found | more, bool(more)
    return [p for p in found if p in parents]


def times(pid):
    """CPU seconds of a process and its reaped children."""
    try:
        f = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, f[11:15])) / TICK
    except OSError:
        return 0.0


def busy():
    """CPU seconds that the whole machine has used."""
    f = [int(x) for x in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(f) - f[3] - f[4]) / TICK


def quiet(limit):
    """Waits until others leave the machine alone (0.3 cores for a second), at most `limit` seconds."""
    end = time.time() + limit
    while time.time() < end:
        before, at = busy(), time.time()
        time.sleep(min(1, limit))
        if (busy() - before) / (time.time() - at) < 0.3:
            return


def run(argv, env, cwd, log, control, targets, timeout):
    """Runs one command to its end: {rc, wall, control, targets, memory, processes, noise}."""
    peak, stop = [0, 0], threading.Event()

    def watch():
        while not stop.wait(0.05):
            size = n = 0
            for pid in control.pids():
                try:
                    size += int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
                    n += 1
                except (OSError, IndexError):
                    pass
            peak[0], peak[1] = max(peak[0], size), max(peak[1], n)

    ctl, tgt, all0 = control.cpu(), targets.cpu(), busy()
    with open(log, "wb") as out:
        begun = time.perf_counter()
        child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                 preexec_fn=control.enter)
        if not control.path:
            control.roots = [child.pid]
        watcher = threading.Thread(target=watch)
        watcher.start()
        killer = threading.Timer(timeout, child.kill)
        killer.start()
        # wait4, not wait: the kernel's own peak of the child's memory, also of runs too short to watch.
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        killer.cancel()
    stop.set()
    watcher.join()
    others = busy() - all0
    settle(control)
    own = control.cpu() - ctl if control.path else used.ru_utime + used.ru_stime
    target = targets.cpu() - tgt
    return {"rc": child.returncode, "wall": wall, "control": own, "targets": target,
            "memory": max(peak[0], used.ru_maxrss * 1024), "processes": max(peak[1], 1),
            "noise": max(0.0, others - own - target) / wall}


def settle(control, limit=10):
    """Ends what the command left behind, such as ssh's masters."""
    end = time.time() + limit
    while control.path and (left := control.pids()) and time.time() < end:
        for pid in left:
            try:
                os.kill(pid, signal.SIGTERM if time.time() < end - limit / 2 else signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)


def model():
    """The machine in one line."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal: +(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) >> 20
    return f"{os.cpu_count()} CPUs ({cpu[1] if cpu else '?'}), {memory} GiB, Linux {os.uname().release}"
