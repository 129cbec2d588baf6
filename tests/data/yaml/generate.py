#!/usr/bin/env python3
"""Writes cases.json: tricky YAML and what PyYAML 6 (libyaml's parser) makes of it.

Run with a Python that has PyYAML: `python3 tests/data/yaml/generate.py`. Values are written with their type:
{"int": "1"}, {"float": "1.5"}, {"map": [[key, value], …]}; text, booleans, null and lists stand for themselves.
Timestamps stay text, as fanfare keeps them; `!unsafe` and `!vault` give their text.
"""
import json
import os
import re
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))


class Loader(yaml.CSafeLoader):
    pass


class Pairs(list):
    pass


def construct_map(loader, node):
    loader.flatten_mapping(node)
    return dict(loader.construct_pairs(node, deep=True))


def untagged(loader, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return construct_map(loader, node)


def scalar(loader, node):
    return loader.construct_scalar(node)


Loader.add_constructor("tag:yaml.org,2002:timestamp", scalar)
Loader.add_constructor("tag:yaml.org,2002:map", construct_map)
Loader.add_constructor("tag:yaml.org,2002:binary", lambda l, n: yaml.SafeLoader.construct_yaml_binary(l, n).decode())
Loader.add_constructor("tag:yaml.org,2002:set", lambda l, n: list(construct_map(l, n)))
Loader.add_constructor("!unsafe", untagged)
Loader.add_constructor("!vault", scalar)
Loader.add_constructor("!vault-encrypted", scalar)


def typed(value):
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, (list, tuple)):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {"map": [[typed(k), typed(v)] for k, v in value.items()]}
    raise TypeError(type(value))


def expected(text):
    try:
        documents = [typed(d) for d in yaml.load_all(text, Loader=Loader)]
    except (yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        return {"text": text, "error": True}
    return {"text": text, "documents": documents}


def main():
    if len(sys.argv) > 1:
        cases = []
        for path in sys.stdin.read().split("\n"):
            try:
                cases.append(expected(open(path, encoding="utf-8", newline="").read()))
            except (OSError, UnicodeDecodeError):
                pass
        json.dump(cases, open(sys.argv[1], "w"))
        return
    source = open(os.path.join(HERE, "cases.txt"), encoding="utf-8", newline="").read()
    # A case ends with a line of `=====`; `␄` ends a case without its last newline, `␉`, `␍` and `␀` are controls.
    texts = []
    for text in source.split("=====\n"):
        text = text.replace("␉", "\t").replace("␍", "\r").replace("␀", "\0")
        texts.append(text[: text.index("␄")] if "␄" in text else text)
    for line in open(os.path.join(HERE, "scalars.txt"), encoding="utf-8"):
        texts.append("- " + line)
    with open(os.path.join(HERE, "cases.json"), "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(expected(text), ensure_ascii=False) for text in texts) + "\n]\n")


main()
