#!/usr/bin/env python3
"""Writes dump.json: values and the text PyYAML 6 makes of them. Run with a Python that has PyYAML with libyaml, as Ansible does."""
import json
import os
import random

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
TEXTS = """a b|yes|no|0644|1.5|1e3|null|~||- a|-a|?|? a|:a|a:|a: b|a:b|#a|a #b|a#b|[a|{{ x }}|{% x %}|a{b|a,b|@a|`a|%a|&a|*a|!a
|'a'|"a"|it's|say "hi"|a\\b|  lead|trail  |tab\there|nl\nend|nl end\n|\nlead|a\n\nb|a \nb|a\n b|é|日本|😀|\u00a0|\u0085|\u2028|\ufeff
|\x07bell|2020-01-01|2020-01-01 10:00:00|12:30:45|=|<<|---|--- a|...|-|--|- |.5|.|1_000|0x1f|0o7|+1|True|on|OFF|y|a|1:30|http://x:80/y|key=value|a - b|a|b""".split("|")
LONG = ["word " * 30, "x" * 200, "'quoted' " * 20, 'tab\t ' * 30, "é " * 60, "a  b " * 30, "line one\nline two is rather longer " * 4,
        "\\" * 100, ("abc" * 10 + " ") * 5, " leading " * 12, "bell\x07 and words " * 8, "x" * 79 + " y", "x" * 80 + " y z", "a: " * 40]


def main():
    random.seed(1)
    cases = []

    def add(value, **options):
        settings = {"default_flow_style": False, "allow_unicode": True, **options}
        cases.append({"value": value, "options": settings, "text": yaml.dump(value, Dumper=yaml.CSafeDumper, **settings)})

    for text in TEXTS + LONG:
        text = text.encode().decode("utf-8")
        add(text)
        add({"key": text, "list": [text]})
        add({text: 1})
        add([text], default_flow_style=True)
        add([{"a": {"b": text}}], allow_unicode=False)
    add({"a": [], "b": {}, "c": [[]], "d": [{}], "e": [[1, 2], [3]], "f": [{"x": 1, "y": [2]}], "g": None, "h": True, "i": 1.5})
    structure = {"b": [1, {"c": [2, {"d": None}], "e": "x"}], "a": {"k": ["v", ["w"]], "l": {}}}
    for options in [{}, {"indent": 4}, {"default_flow_style": None}, {"default_flow_style": True}, {"indent": 8, "width": 40}, {"explicit_start": True}, {"width": 20, "default_flow_style": True}]:
        add(structure, **options)
        add(list(range(50)), **options)
        add({f"key{i}": f"value number {i}" for i in range(12)}, **options)
        add("text", **options)
        add(["text" * 10] * 4, **options)
    alphabet = ["a", "b c", " ", "  ", "\n", ":", "#", "'", '"', "-", "é", "\\", "\t", ",", "{", "word", "1"]
    for _ in range(300):
        add({"k": "".join(random.choice(alphabet) for _ in range(random.randint(1, 60)))}, width=random.choice([20, 40, 80]))
    with open(os.path.join(HERE, "dump.json"), "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()
