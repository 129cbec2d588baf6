"""Lookups, and loops: each form of `with_*` and `loop`, each with everything that `loop_control` has."""
import json
import pathlib

from .expressions import complete, playbook

LANGUAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "data/language.json"
FILES = """-- one.txt --
  one
 uno
-- two.txt --
two
-- table.csv --
a,1,x
b,2,y
-- set.ini --
[s]
k = v
k2 = w
empty =
multi = a
  b
inter = %(k)s!
-- set.properties --
p = q
-- kept.txt --
keptpassword
-- templates/made.j2 --
own_a is {{ own_a }}{{ more | default('') }}
-- templates/undefined.j2 --
{{ nope }}
-- templates/list.j2 --
[1, 2, {{ 3 }}]
-- templates/marks.j2 --
[[ own_a ]] {{ own_a }}
-- templates/lines.j2 --
{% if true %}
  {% if true %}
x
  {% endif %}
{% endif %}
-- templates/ends.j2 --
a


-- templates/ends_block.j2 --
{% if true %}
a
{% endif %}

{% if true %}
{% endif %}
-- templates/header.j2 --
#jinja2: trim_blocks: False
{% if true %}
a
{% endif %}
-- www/page.txt --
first
second
-- host_vars/t1.yml --
own_a: A
own_b: [1, 2]
own_t: 'rendered {{ own_a }}'
own_u: '{{ nope }}'
"""
# Form of a loop: its terms.
LOOPS = {
    "loop": "[a, b, c]",
    "with_items": "[a, [b, c], [[d]]]",
    "with_list": "[a, [b, c]]",
    "with_dict": "{a: 1, b: 2}",
    "with_sequence": "start=1 end=3",
    "with_nested": "[[a, b], [1, 2]]",
    "with_together": "[[a, b], [1, 2, 3]]",
    "with_subelements": "[[{n: x, g: [1, 2]}, {n: y, g: [3]}], g]",
    "with_indexed_items": "[a, b]",
    "with_flattened": "[a, [b, [c]]]",
    "with_file": "[one.txt, two.txt]",
    "with_fileglob": "['two.*']",
    "with_first_found": "[nope.txt, two.txt]",
    "with_inventory_hostnames": "[all]",
    "with_lines": "[echo a, echo b]",
    "with_env": "[TZ, LC_ALL]",
    "with_vars": "[own_a, own_b]",
    "with_varnames": "[^own_a]",
    "with_template": "[made.j2]",
    "with_ini": "['k section=s file=set.ini']",
    "with_random_choice": "[only]",
    "with_cartesian": "[[a, b], [1]]",
    "with_ansible.builtin.items": "[a, b]",
    "with_nosuch": "[a]",
}
CONTROLS = ["", "{loop_var: it}", "{index_var: nth}", "{label: 'no. {{ nth | default(0) }}', index_var: nth}",
            "{extended: true}", "{extended: true, extended_allitems: false}", "{pause: 0.01}", "{break_when: ansible_loop.index == 2, extended: true}"]
SHOWN = "'{{ [item | default(it | default(0)), nth | default(0), ansible_loop | default({}), ansible_loop_var, ansible_index_var | default(0)] }}'"
MORE = """
    - {debug: {msg: x}, loop: []}
    - {debug: {msg: x}, with_items: []}
    - {debug: {msg: x}, with_items: }
    - {debug: {msg: '{{ item }}'}, with_items: single}
    - {debug: {msg: '{{ item }}'}, with_items: '{{ own_b }}'}
    - {debug: {msg: '{{ item }}'}, with_items: own_b}
    - {debug: {msg: '{{ item }}'}, with_items: ['{{ own_b }}', 3]}
    - {debug: {msg: '{{ item }}'}, loop: ['{{ own_b }}', 3]}
    - {debug: {msg: '{{ item }}'}, with_dict: '{{ {"a": own_b} }}'}
    - {debug: {msg: '{{ item }}'}, with_dict: [{a: 1}, {b: 2}]}
    - {debug: {msg: '{{ item }}'}, loop: '{{ range(3) }}'}
    - {debug: {msg: '{{ item }}'}, loop: '{{ {"a": 1}.items() }}'}
    - {debug: {msg: '{{ item }}'}, loop: "{{ query('nested', [1, 2], [3]) }}"}
    - {debug: {msg: '{{ item }}'}, loop: '{{ own_u }}', when: false}
    - {debug: {msg: '{{ item }}'}, with_items: '{{ own_u }}', when: false}
    - {debug: {msg: '{{ item }}'}, with_items: '{{ own_u }}'}
    - {debug: {msg: '{{ item }}'}, with_items: ['{{ nope }}', 1]}
    - {debug: {msg: '{{ item }}'}, loop: [1, 2, 3], when: item != 2}
    - {debug: {msg: '{{ item }}'}, loop: [1, 2], when: false}
    - {command: 'echo {{ item }}', loop: [1, 2], register: r, changed_when: item == 1}
    - {debug: {var: r.results | map(attribute='stdout')}}
    - {command: 'test {{ item }} = 2', loop: [1, 2], register: r, until: r.rc == 0, retries: 1, delay: 0}
    - {debug: {msg: '{{ item }}'}, loop: [1, 2], register: r, failed_when: item == 2}
    - {include_tasks: inner.yml, loop: [a, b]}
    - {include_tasks: inner.yml, loop: [a, b], loop_control: {loop_var: outer, label: '<{{ outer }}>'}}
    - {debug: {msg: '{{ item }}'}, loop: [{password: x, name: n}], no_log: true}
    - {debug: {msg: '{{ item }}'}, loop: [1], run_once: true}
    - {debug: {msg: '{{ item }}'}, with_items: [1, 2], delegate_to: '{{ inventory_hostname }}'}
"""


def cases():
    lookups = json.loads(LANGUAGE.read_text())["lookup"]
    # Everything that is not quoted by a name is the pipe's, or another's, word.
    rows = complete("lookups", [f"'{name}'" for name in lookups], "(")
    half = len(rows) // 2
    for n, some in enumerate((rows[:half], rows[half:]), 1):
        text = playbook("Lookups with their options, right and wrong.", some)
        yield f"lookups/all_{n}", text.replace("hosts: 1 local", "hosts: 2 local").replace("- hosts: all", "- hosts: t1") + FILES
    for n, control in enumerate(CONTROLS, 1):
        tasks = "".join(task(form, terms, control) for form, terms in LOOPS.items())
        tasks += MORE if n == 1 else ""
        about = f"Every form of loop, with loop_control: {control or 'nothing'}."
        yield f"loops/control_{n}", (f"# {about}\nhosts: 2 local\nchecks: {tasks.count(' - {')}\n\n- hosts: t1\n  gather_facts: false\n"
                                     f"  ignore_errors: true\n  tasks:{tasks}\n{FILES}-- inner.yml --\n- debug: {{msg: '{{{{ outer | default(item) }}}}'}}\n"
                                     "- {debug: {msg: '{{ item }}'}, loop: [1]}\n")


def task(form, terms, control):
    more = f", loop_control: {control}" if control else ""
    return f"\n    - {{debug: {{msg: {SHOWN}}}, {form}: {terms}{more}}}"
