"""Where cases run: a slot is a directory with its own hosts, web server and place for the case's files.

Both tools see the same slot one after the other, made new in between, so that even paths are equal.
"""
import functools
import http.server
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import threading

from web import Web

SUPPORT = pathlib.Path(__file__).resolve().parent.parent / "support"
HOSTS = 3


class Slot:
    """`case`: working directory of the tool; `out`: a place for the playbook's own notes; `bed`: the hosts."""

    def __init__(self, base, number):
        self.path = base / f"s{number}"
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        self.path.chmod(0o755)
        self.case, self.out, self.home = (self.path / n for n in ("case", "out", "home"))
        self.bed = self.path / "bed"
        self.keeper = subprocess.Popen([SUPPORT / "hosts", self.bed, str(HOSTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       text=True, start_new_session=True)
        if self.keeper.stdout.readline().strip() != "ready":
            raise SystemExit("the hosts did not start")
        self.hosts = [line.split() for line in (self.bed / "hosts").read_text().splitlines()]
        self.user = pwd.getpwnam((self.bed / "user").read_text().strip())
        handler = functools.partial(Web, directory=str(self.case / "www"))
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.web.serve_forever, daemon=True).start()

    def close(self):
        self.web.shutdown()
        subprocess.run(["sh", "-c", f"for s in {self.path}/cp/*; do [ -S $s ] && ssh -o ControlPath=$s -O exit x; done"],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.keeper.stdin.close()
        self.keeper.wait()
        shutil.rmtree(self.path, ignore_errors=True)

    @functools.cache
    def can(self, need):
        """Whether the hosts have what a case needs."""
        if need == "sudo":
            ssh = ["ssh", "-F", self.bed / "ssh_config", "t1", "sudo -n true"]
            return subprocess.run(ssh, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
        if need.startswith("python3-"):
            return subprocess.run(["/usr/bin/python3", "-c", f"import {need[8:]}"], capture_output=True).returncode == 0
        return shutil.which(need) is not None

    def renew(self, case):
        """Makes everything new for one tool's runs of `case`."""
        for old in (self.case, self.out, self.home, self.path / "local", self.path / "conn"):
            shutil.rmtree(old, ignore_errors=True)
        for new in (self.case, self.out, self.home, self.path / "cp", self.path / "conn"):
            new.mkdir(exist_ok=True)
        for name, _, _, root in self.hosts:
            root = pathlib.Path(root)
            for part in ("home", "fs", "tmp", "bin"):
                shutil.rmtree(root / part, ignore_errors=True)
                self.own(root / part)
            self.own(self.path / "local" / name / "fs", os.getuid())
        for path, mode, text in case.files:
            file = self.case / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("@SLOT@", str(self.path)))
            file.chmod(int(mode or "0644", 8))
        (self.path / "conn/hosts.json").write_text(json.dumps(self.inventory(case), indent=1))

    def own(self, path, uid=None):
        path.mkdir(parents=True)
        path.chmod(0o755)
        if os.getuid() == 0 and uid is None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def inventory(self, case):
        """The connection to the hosts, as an inventory in JSON (which is YAML)."""
        hosts = {}
        for name, address, port, root in self.hosts[:case.hosts]:
            hosts[name] = {"ansible_connection": "local", "root": f"{self.path}/local/{name}/fs"} if case.local else {
                "ansible_host": address, "ansible_port": int(port), "ansible_user": self.user.pw_name,
                "ansible_ssh_private_key_file": f"{self.bed}/id",
                "ansible_ssh_common_args": f"-o UserKnownHostsFile={self.bed}/known_hosts", "root": f"{root}/fs"}
            hosts[name]["ansible_python_interpreter"] = "/usr/bin/python3"
        everywhere = {"out": str(self.out), "http": f"http://127.0.0.1:{self.web.server_port}"}
        return {"all": {"vars": everywhere, "hosts": hosts}}

    def plain(self, text):
        """`text` without what differs from slot to slot and run to run."""
        text = text.replace(str(self.path), "/SLOT").replace(f":{self.web.server_port}", ":8080")
        for i, (_, _, port, _) in enumerate(self.hosts):
            # Not where the same digits stand in a hash or in encrypted text.
            text = re.sub(rf"(?<![0-9A-Fa-f]){port}(?![0-9A-Fa-f])", str(10001 + i), text)
        return text
