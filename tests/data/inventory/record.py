#!/usr/bin/env python3
"""Records what ansible-inventory says about every inventory here, as answers.json.

Usage: record.py /path/to/ansible-inventory. `cases.json` names the sources of each case, relative to its directory.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = sys.argv[1]
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", 
       "ANSIBLE_INVENTORY_ENABLED": "host_list,script,auto,yaml,ini,toml", "ANSIBLE_LOCALHOST_WARNING": "0"}


def ask(directory, *args):
    run = subprocess.run([ORACLE, *args], cwd=directory, env=ENV, capture_output=True, text=True)
    return run.stdout if run.returncode == 0 else None, run.stderr


def main():
    answers = {}
    for case in json.load(open(os.path.join(HERE, "cases.json"))):
        directory = os.path.join(HERE, case["name"].split("#")[0])
        if not os.path.isdir(directory):
            directory = HERE
        base = []
        for source in case["sources"]:
            base += ["-i", source]
        if "playbook_dir" in case:
            base += ["--playbook-dir", case["playbook_dir"]]
        answer = {}
        listing, errors = ask(directory, *base, "--list")
        answer["warnings"] = errors
        answer["list"] = listing
        for name, args in {
            "list_export": ["--list", "--export"],
            "list_yaml": ["--list", "--yaml"],
            "list_yaml_export": ["--list", "--yaml", "--export"],
            "graph": ["--graph"],
            "graph_vars": ["--graph", "--vars"],
        }.items():
            answer[name] = ask(directory, *base, *args)[0]
        answers[case["name"]] = answer
        if listing is None:
            continue
        hosts = set()
        for group in json.loads(listing).values():
            hosts.update(group.get("hosts", []))
        answer["host"] = {host: ask(directory, *base, "--host", host)[0] for host in sorted(hosts)[:3]}
    with open(os.path.join(HERE, "answers.json"), "w", encoding="utf-8") as out:
        json.dump(answers, out, indent=1, ensure_ascii=False)
        out.write("\n")


main()
