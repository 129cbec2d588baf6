#!/usr/bin/env python3
"""Records what the real ansible-core shows for the playbooks in this directory, and the events behind it.

Usage: record.py /path/to/bin-of-ansible [NAME...]

NAME.yml may begin with `# args: …` lines (more arguments for ansible-playbook) and `# env: NAME=VALUE` lines. For
each it writes NAME.jsonl (one event a line, in the shape that `tests.rs` reads), NAME.out and NAME.err.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

PLUGIN = r'''
import json, os
from ansible.plugins.callback import CallbackBase
from ansible import context

OUT = open(os.environ["RECORD_TO"], "w")
IDS = {}

def plain(value):
    return json.loads(json.dumps(value, default=str))

def emit(kind, **fields):
    OUT.write(json.dumps({"event": kind, **plain(fields)}) + "\n")
    OUT.flush()

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "recorder"

    def task(self, task, kind=None):
        path = task.get_path() or ""
        known = IDS.setdefault(task._uuid, {"id": len(IDS) + 1, "kind": kind or "task"})
        if kind:
            known["kind"] = kind
        return {**known, "name": task.get_name().strip(), "action": task.action.rpartition(".")[2],
                "path": path, "check": bool(task.check_mode), "no_log": bool(task.no_log)}

    def v2_playbook_on_start(self, playbook):
        emit("run_started", files=[os.path.basename(playbook._file_name)])

    def v2_playbook_on_play_start(self, play):
        self.play = play
        hosts = [] if not play else [str(h) for h in play.get_variable_manager()._inventory.get_hosts(play.hosts)]
        emit("play_started", name=play.get_name().strip(), check=bool(play.check_mode), hosts=hosts,
             free=play.strategy in ("free", "host_pinned"))

    def v2_playbook_on_no_hosts_matched(self):
        emit("no_hosts", reason="none_matched")

    def v2_playbook_on_no_hosts_remaining(self):
        emit("no_hosts", reason="none_left")

    def v2_playbook_on_task_start(self, task, is_conditional):
        emit("task_started", task=self.task(task, "task"))

    def v2_playbook_on_handler_task_start(self, task):
        emit("task_started", task=self.task(task, "handler"))

    def v2_runner_on_start(self, host, task):
        emit("host_started", host=str(host), task=self.task(task))

    def v2_playbook_on_notify(self, handler, host):
        emit("notified", handler=handler.get_name(), host=str(host))

    def v2_playbook_on_include(self, included):
        emit("included", what=included._filename, hosts=[str(h) for h in included._hosts],
             item=None if not included._vars else self._get_item_label(included._vars))

    def result(self, kind, result, status, ignored=False):
        fields = dict(result.result)
        flags = {k: v for k, v in fields.items() if k.startswith("_ansible_verbose")}
        delegated = (fields.get("_ansible_delegated_vars") or {}).get("ansible_delegated_vars_host") \
            or (fields.get("_ansible_delegated_vars") or {}).get("ansible_host")
        if result.task.delegate_to:
            delegated = result.task.delegate_to
        diffs = fields.get("diff") or []
        emit(kind, host=str(result.host), task=self.task(result.task), status=status, ignored=ignored,
             label=self._get_item_label(fields) if kind == "item_done" else None, delegated_to=delegated,
             diffs=diffs if isinstance(diffs, list) else [diffs], flags=flags,
             fields={k: v for k, v in fields.items() if not k.startswith("_ansible")})

    def v2_runner_on_ok(self, result):
        self.result("host_done", result, "changed" if result.result.get("changed") else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.result("host_done", result, "failed", bool(ignore_errors))

    def v2_runner_on_skipped(self, result):
        self.result("host_done", result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self.result("host_done", result, "unreachable", bool(result.task.ignore_unreachable))

    def v2_runner_item_on_ok(self, result):
        self.result("item_done", result, "changed" if result.result.get("changed") else "ok")

    def v2_runner_item_on_failed(self, result):
        self.result("item_done", result, "failed")

    def v2_runner_item_on_skipped(self, result):
        self.result("item_done", result, "skipped")

    def v2_runner_retry(self, result):
        fields = result.result
        emit("retrying", host=str(result.host), task=self.task(result.task),
             left=fields["retries"] - fields["attempts"],
             flags={k: v for k, v in fields.items() if k.startswith("_ansible_verbose")},
             fields={k: v for k, v in fields.items() if not k.startswith("_ansible")})

    def v2_playbook_on_stats(self, stats):
        names = {"ok": "ok", "changed": "changed", "unreachable": "unreachable", "failures": "failed",
                 "skipped": "skipped", "rescued": "rescued", "ignored": "ignored"}
        hosts = sorted(stats.processed)
        for host, data in stats.custom.items():
            emit("custom_stats", host=None if host == "_run" else host, data=data)
        emit("run_ended", stats={h: {names[k]: v for k, v in stats.summarize(h).items() if k in names} for h in hosts})
'''

INVENTORY = """\
a ansible_connection=local
b ansible_connection=local
c ansible_connection=local
gone ansible_host=127.0.0.1 ansible_port=1
"""


def record(name, bin_dir):
    text = (HERE / f"{name}.yml").read_text()
    args = sum((line.split() for line in re.findall(r"^# args: (.*)$", text, re.M)), [])
    env = dict(line.split("=", 1) for line in re.findall(r"^# env: (.*)$", text, re.M))
    with tempfile.TemporaryDirectory() as where:
        where = pathlib.Path(where)
        (where / "recorder.py").write_text(PLUGIN)
        (where / "hosts").write_text(INVENTORY)
        for file in [*HERE.glob("*.yml"), *HERE.glob("part_*.sh")]:
            (where / file.name).write_text(file.read_text())
        done = subprocess.run(
            [f"{bin_dir}/ansible-playbook", "-i", "hosts", f"{name}.yml", *args],
            cwd=where, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": str(where), "ANSIBLE_CALLBACK_PLUGINS": str(where),
                 "ANSIBLE_CALLBACKS_ENABLED": "recorder", "RECORD_TO": str(HERE / f"{name}.jsonl"),
                 "ANSIBLE_PYTHON_INTERPRETER": f"{bin_dir}/python3", "ANSIBLE_HOST_KEY_CHECKING": "0",
                 "LC_ALL": "C.UTF-8", **env})
        for ending, content in (("out", done.stdout), ("err", done.stderr)):
            (HERE / f"{name}.{ending}").write_text(content.replace(str(where), "DIR"))
        events = HERE / f"{name}.jsonl"
        if events.exists():
            events.write_text(events.read_text().replace(str(where), "DIR"))


def main():
    bin_dir, *names = sys.argv[1:]
    for name in names or sorted(file.stem for file in HERE.glob("*.yml") if not file.stem.startswith("part_")):
        record(name, bin_dir)


main()
