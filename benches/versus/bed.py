"""The hosts to measure on: real sshds on loopback (tests/support/hosts), inventories in every tool's own format,
and, for the round trips, one of them behind a wire with a delay."""
import os
import pathlib
import pwd
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = HERE.parent.parent / "tests/support"


class Bed:
    def __init__(self, path, count, targets):
        self.path = path
        path.mkdir()
        path.chmod(0o755)
        self.keeper = subprocess.Popen([SUPPORT / "hosts", path / "bed", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       text=True, preexec_fn=targets.enter, env={
                                           **os.environ, "FANFARE_TEST_PLAIN": "1", "FANFARE_TEST_SSHD_OPTIONS": "LoginGraceTime 0"})
        targets.roots = [self.keeper.pid]
        if self.keeper.stdout.readline().strip() != "ready":
            raise SystemExit("the hosts did not start")
        self.hosts = [line.split() for line in (path / "bed/hosts").read_text().splitlines()]
        self.user = pwd.getpwnam((path / "bed/user").read_text().strip())
        self.wire = None

    def close(self):
        self.unwire()
        self.keeper.stdin.close()
        self.keeper.wait()
        shutil.rmtree(self.path, ignore_errors=True)

    def delayed(self, rtt):
        """Puts the first host behind a wire with that RTT in milliseconds, until `unwire`."""
        _, address, port, _ = self.hosts[0]
        self.wire = subprocess.Popen([sys.executable, HERE / "relay.py", f"{address}:{port}", str(rtt)], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.wire_port = self.wire.stdout.readline().strip()

    def unwire(self):
        if self.wire:
            self.wire.stdin.close()
            self.wire.terminate()
            self.wire.wait()
            self.wire = None

    def counts(self):
        """Bytes out, bytes in and round trips on the wire so far."""
        self.wire.stdin.write("\n")
        self.wire.stdin.flush()
        out, back, turns = map(int, self.wire.stdout.readline().split())
        return {"out": out, "in": back, "trips": turns / 2}

    def renew(self, count, keep):
        """Empties the hosts' homes (but for the names in `keep`) and file trees."""
        for name, _, _, root in self.hosts[:count]:
            home, fs = pathlib.Path(root, "home"), pathlib.Path(root, "fs")
            for old in home.iterdir():
                if old.name not in keep:
                    shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
            shutil.rmtree(fs, ignore_errors=True)
            fs.mkdir()
            if os.getuid() == 0:
                os.chown(fs, self.user.pw_uid, self.user.pw_gid)

    def leaves(self, count, directories):
        """How many files (or directories) each host has, as a sorted list without repeats."""
        def tally(fs):
            return sum(p.is_dir() == directories and not (directories and p.is_symlink()) or p.is_symlink() and not directories
                       for p in fs.rglob("*"))
        return sorted({tally(pathlib.Path(root, "fs")) for *_, root in self.hosts[:count]})

    def inventory(self, count):
        """The stem of the inventories of the first `count` hosts: .yml, .py, .ssh (a config) and .txt (names)."""
        stem = self.path / f"inventory-{count}{'-wire' if self.wire else ''}"
        if not stem.with_suffix(".txt").exists() or self.wire:
            self.write(stem, count)
        return stem

    def write(self, stem, count):
        key, known = f"{self.path}/bed/id", f"{stem}.known"
        hosts = [(n, "127.0.0.1" if self.wire else a, self.wire_port if self.wire else p, r) for n, a, p, r in self.hosts[:count]]
        lines = (self.path / "bed/known_hosts").read_text().splitlines()
        pathlib.Path(known).write_text("".join(
            f"[{a}]:{p} {line.split(' ', 1)[1]}\n" for (_, a, p, _), line in zip(hosts, lines)))
        login = self.user.pw_name
        stem.with_suffix(".yml").write_text("all:\n  vars:\n" + "".join(f"    {k}: {v}\n" for k, v in {
            "ansible_user": login, "ansible_ssh_private_key_file": key,
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={known}",
            "ansible_python_interpreter": "/usr/bin/python3"}.items()) + "  hosts:\n" + "".join(
            f"    {n}: {{ansible_host: {a}, ansible_port: {p}, fs: {r}/fs}}\n" for n, a, p, r in hosts))
        stem.with_suffix(".py").write_text("hosts = [\n" + "".join(f"    {(n, self.pyinfra(a, p, r, key, known))!r},\n" for n, a, p, r in hosts) + "]\n")
        stem.with_suffix(".txt").write_text("".join(f"{n}\n" for n, *_ in hosts))
        stem.with_suffix(".ssh").write_text("".join(f"Host {n}\n HostName {a}\n Port {p}\n" for n, a, p, _ in hosts) + (
            f"Host *\n User {login}\n IdentityFile {key}\n IdentitiesOnly yes\n BatchMode yes\n UserKnownHostsFile {known}\n"
            " GlobalKnownHostsFile /dev/null\n StrictHostKeyChecking yes\n LogLevel ERROR\n"))

    def pyinfra(self, address, port, root, key, known):
        return {"ssh_hostname": address, "ssh_port": int(port), "ssh_user": self.user.pw_name, "ssh_key": key,
                "ssh_known_hosts_file": known, "ssh_strict_host_key_checking": "yes",
                "ssh_allow_agent": False, "ssh_look_for_keys": False, "fs": f"{root}/fs"}
