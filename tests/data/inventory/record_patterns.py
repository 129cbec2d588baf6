#!/usr/bin/env python3
"""Records how ansible-core resolves the patterns in patterns.json, as pattern_answers.json.

Usage: record_patterns.py, with the Python of an ansible-core installation.
"""
import json
import os
from unittest import mock

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    answers = []
    for case in json.load(open(os.path.join(HERE, "patterns.json"))):
        warnings = []
        os.chdir(os.path.join(HERE, case["inventory"]))
        sources = case.get("sources", ["hosts"])
        with mock.patch.object(Display, "warning", lambda self, msg, **kw: warnings.append(msg)):
            inventory = InventoryManager(loader=DataLoader(), sources=sources)
            warnings.clear()
            try:
                inventory.subset(case.get("limit"))
                answer = {"hosts": [host.name for host in inventory.get_hosts(case["pattern"], order=None)]}
            except Exception as error:
                answer = {"error": str(error)}
        answers.append({**case, **answer, "warnings": warnings})
    with open(os.path.join(HERE, "pattern_answers.json"), "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(answer, ensure_ascii=False) for answer in answers) + "\n]\n")


main()
