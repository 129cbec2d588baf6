"""The bed's hosts, and what can be done to them. All of it works from outside: a host that is cut off is reached all the same."""

import json
import os
import subprocess
import time
from pathlib import Path

BED = os.environ.setdefault("TB_BED", "faults")
ROOT = Path(os.environ.get("TESTBED", "/var/tmp/tb"))
RUN = Path(os.environ.get("TB_RUN", ROOT / "run")) / BED
HERE = Path(__file__).resolve().parent
CONTROL = ["ip", "netns", "exec", f"{BED}-ctl"]

# Has sshd read its configuration anew, whoever started it.
RELOAD = 'if [ -d /run/systemd/system ]; then systemctl reload ssh; else kill -HUP $(cat /run/sshd.pid); fi'
# The processes that serve a session; the one that listens is none of them.
SESSIONS = (
    'for p in /proc/[0-9]*; do c=$(tr "\\0" " " < $p/cmdline 2> /dev/null); case $c in "sshd: "*listener*|"") ;;'
    ' "sshd: "*|"sshd-session: "*|*dropbea[r]*" -2 "*) kill -9 ${p#/proc/};; esac; done'
)
# What may not be there after a run: drafts of files, a half-written worker; processes of ours and of the task's.
DRAFTS = (
    "for d in / /tmp /var/tmp /dev/shm /srv /home /root /run; do find $d -xdev -type f"
    " \\( -name '.fanfare-*' -o -name '.[tp]-fanfare-*' -o -name '.ansible*' \\) 2> /dev/null; done"
)
PROCESSES = (
    'for p in /proc/[0-9]*; do c=$(tr "\\0" " " < $p/cmdline 2> /dev/null);'
    ' case $c in *"/w-"[0-9a-f]*|*fanfare-worke[r]*|"sleep 8.0625 "|*"m=fanfar"[e]-*) echo "$c" | cut -c1-60;; esac; done'
)


def tb(*words, **options):
    return subprocess.run([ROOT / "tb", *words], text=True, capture_output=True, **options).stdout


class Host:
    """A host of the bed."""

    def __init__(self, name):
        self.name = name
        self.children = []

    @property
    def about(self):
        return json.loads((RUN / self.name / "host.json").read_text())

    @property
    def address(self):
        return self.about["ip"]

    def sh(self, script):
        """Runs a script inside, not by ssh; gives what it printed."""
        enter = ["nsenter", "-t", self.init(), "-a", "--", "/bin/sh", "-c", script]
        return subprocess.run(enter, text=True, capture_output=True).stdout

    def init(self):
        """The host's first process, as this machine numbers it."""
        try:
            keeper = (RUN / self.name / "nspawn.pid").read_text().strip()
            return Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()[0]
        except (OSError, IndexError):
            raise RuntimeError(f"{self.name} does not run") from None

    def wait_for(self, pattern, seconds=40):
        """Waits until a process's command line fits the pattern of grep, which must not fit itself."""
        look = f'i=0; until grep -qs "{pattern}" /proc/[0-9]*/cmdline; do i=$((i+1)); [ $i -lt {seconds * 4} ] || exit 1; sleep 0.25; done'
        self.sh(look)

    # --- the daemon and its sessions
    def kill_sessions(self):
        self.sh(SESSIONS)

    def reload(self):
        self.sh(RELOAD)
        time.sleep(0.3)

    def processes(self):
        """The host's processes, as this machine numbers them."""
        first = namespace(self.init())
        pids = [p.name for p in Path("/proc").iterdir() if p.name.isdigit()]
        return [int(p) for p in pids if namespace(p) == first]

    def signal(self, number):
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    # --- the network
    def link(self, state):
        tb("link", self.name, state)

    def net(self, *what):
        tb("net", self.name, *what)

    def filter(self, *rule):
        space = f"{BED}-{self.name}"
        subprocess.run(["ip", "netns", "exec", space, "iptables", "-I", *rule], check=True, capture_output=True)

    def drop_in(self):
        self.filter("INPUT", "-p", "tcp", "--dport", "22", "-j", "DROP")

    def drop_out(self):
        self.filter("OUTPUT", "-p", "tcp", "--sport", "22", "-j", "DROP")

    def reset(self):
        self.filter("INPUT", "-p", "tcp", "--dport", "22", "-j", "REJECT", "--reject-with", "tcp-reset")

    def unreachable(self):
        self.filter("INPUT", "-p", "tcp", "--dport", "22", "-j", "REJECT", "--reject-with", "icmp-host-unreachable")

    def big_packets_vanish(self):
        self.filter("INPUT", "-m", "length", "--length", "1000:65535", "-j", "DROP")

    def listen(self, port, mode):
        """Something that accepts connections and misbehaves."""
        command = ["ip", "netns", "exec", f"{BED}-{self.name}", "/usr/bin/python3", HERE / "listener.py", str(port), mode]
        self.children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(0.4)

    # --- power
    def power_cut(self):
        tb("stop", self.name, "--hard")

    def power_on(self):
        tb("start", self.name)

    def reboot(self, down=0):
        (RUN / self.name / "reboot_delay").write_text(f"{down}\n")
        command = [ROOT / "tb", "reboot", self.name]
        self.children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    # --- the end
    def remove(self):
        about = self.about if (RUN / self.name / "host.json").exists() else None
        tb("down", self.name)
        if about:
            # Or it stays until its last process is gone.
            subprocess.run(["ip", "-n", f"{BED}-hub", "link", "del", f"v{about['idx']}"], capture_output=True)
        subprocess.run(["ip", "netns", "del", f"{BED}-{self.name}"], capture_output=True)
        subprocess.run(["rm", "-rf", "--one-file-system", RUN / self.name])

    def heal(self):
        """Makes it reachable again, as far as that goes without building it anew."""
        self.link("up")
        self.signal(18)
        space = f"{BED}-{self.name}"
        subprocess.run(["ip", "netns", "exec", space, "iptables", "-F"], capture_output=True)
        for child in self.children:
            child.kill()
            child.wait()

    def left(self, seconds=12):
        """What a run left there that it should not, after some time to go."""
        processes, end = "?", time.time() + seconds
        while processes and time.time() < end:
            processes = self.sh(PROCESSES)
            time.sleep(0.2 if processes else 0)
        found = sorted(set(self.sh(DRAFTS).split("\n")) - {""})
        return [line.strip() for line in processes.splitlines()] + found


def namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def up(*names):
    """Starts hosts: NAME:IMAGE+PROFILE."""
    for left in range(5, -1, -1):
        done = subprocess.run([ROOT / "tb", "up", *names], text=True, capture_output=True)
        hosts = [Host(name.split(":")[0]) for name in names]
        if not done.returncode:
            return hosts
        if not left:
            raise SystemExit(f"tests/faults: tb up {' '.join(names)}: {done.stdout}{done.stderr}")
        # What the network had of the host before is not gone yet.
        for host in hosts:
            host.remove()
        time.sleep(1)


def clear():
    """Takes the bed down, and what a run that was killed left of it."""
    tb("down")
    left = [p.name for p in Path("/run/netns").glob(f"{BED}-*")] if Path("/run/netns").is_dir() else []
    for space in left:
        subprocess.run(["ip", "netns", "del", space], capture_output=True)
    subprocess.run(["rm", "-rf", "--one-file-system", RUN])


def config():
    return tb("sshconfig").strip()
