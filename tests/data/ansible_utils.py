#!/usr/bin/env python3
"""Writes tests/data/ansible_utils.txt anew: PYTHON_WITH_ANSIBLE tests/data/ansible_utils.py < FILE > NEW.

Of each line the part before the first tab is an expression; ansible with the collections and netaddr says the answer.
"""

import json
import sys

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template


def answer(templar, expression):
    try:
        return json.dumps(templar.template(trust_as_template("{{ " + expression + " }}")))
    except Exception as error:
        return "error: " + " ".join(str(error).split())


def main():
    init_plugin_loader([])
    templar = Templar(loader=DataLoader(), variables={})
    for line in sys.stdin:
        expression = line.rstrip("\n").split("\t")[0]
        print(expression if expression.startswith("#") else f"{expression}\t{answer(templar, expression)}")


main()
