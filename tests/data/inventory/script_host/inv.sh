#!/bin/sh
case "$1" in
--list) echo '{"web": ["w1", "w2"], "hostless": {"hosts": [], "vars": {"q": "0644"}}}' ;;
--host) echo "{\"name\": \"$2\", \"n\": 1}" ;;
esac
