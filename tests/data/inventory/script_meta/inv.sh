#!/bin/sh
case "$1" in
--list) cat <<'J'
{"web": {"hosts": ["w2", "w1"], "vars": {"a": 1, "t": "{{ a }}"}, "children": ["sub"]},
 "sub": ["s1"],
 "varsonly": {"vars": {"z": 1}},
 "all": {"children": ["ungrouped", "web"], "vars": {"everywhere": true}},
 "_meta": {"hostvars": {"w1": {"x": [1, 2], "n": null}, "s1": {"f": 1.5}, "ghost": {"y": 1}}}}
J
;;
*) echo '{}' ;;
esac
