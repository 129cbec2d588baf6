"""Failure modes: what ends a run, what ends a host, who goes on, what the recap counts."""

# name: (arguments, tasks of t1 and t2, more of the play, files). The first task names what it is about.
TASKS = {
    "undefined": "debug: {msg: '{{ nope }}'}",
    "undefined_attribute": "debug: {msg: '{{ {}.a.b }}'}",
    "undefined_in_when": "{debug: {msg: x}, when: nope}",
    "undefined_in_loop": "{debug: {msg: x}, loop: '{{ nope }}'}",
    "undefined_in_item": "{debug: {msg: '{{ item.x }}'}, loop: [{x: 1}, {y: 2}, {x: 3}]}",
    "undefined_in_changed_when": "{command: echo, changed_when: nope}",
    "undefined_in_failed_when": "{command: echo, failed_when: nope}",
    "undefined_in_until": "{command: echo, until: nope, retries: 1, delay: 0}",
    "undefined_in_vars": "{debug: {msg: '{{ a }}'}, vars: {a: '{{ b }}', b: '{{ nope }}'}}",
    "undefined_in_name": "{name: 'say {{ nope }}', debug: {msg: x}}",
    "undefined_in_delegate": "{debug: {msg: x}, delegate_to: '{{ nope }}'}",
    "undefined_in_environment": "{command: echo, environment: {A: '{{ nope }}'}}",
    "undefined_in_notify": "{command: echo, notify: '{{ nope }}'}",
    "undefined_in_tags": "{debug: {msg: x}, tags: ['{{ nope }}']}",
    "undefined_in_register": "{debug: {msg: x}, register: '{{ nope }}'}",
    "undefined_in_become": "{command: echo, become: '{{ nope }}'}",
    "undefined_in_ignore": "{command: /bin/false, ignore_errors: '{{ nope }}'}",
    "undefined_for_one": "debug: {msg: '{{ only }}'}",
    "recursive": "{debug: {msg: '{{ a }}'}, vars: {a: '{{ b }}', b: '{{ a }}'}}",
    "recursive_self": "{debug: {msg: '{{ a }}'}, vars: {a: 'x {{ a }}'}}",
    "syntax": "debug: {msg: '{{ 1 + }}'}",
    "syntax_for_one": "debug: {msg: '{{ odd }}'}",
    "unclosed": "debug: {msg: '{{ 1 '}",
    "no_filter": "debug: {msg: '{{ 1 | nosuch }}'}",
    "no_test": "{debug: {msg: x}, when: 1 is nosuch}",
    "no_lookup": "debug: {msg: '{{ lookup(\"nosuch\") }}'}",
    "condition_is_text": "{debug: {msg: x}, when: \"'text'\"}",
    "condition_is_number": "{debug: {msg: x}, when: 1 + 1}",
    "condition_is_list": "{debug: {msg: x}, when: '[1]'}",
    "condition_with_braces": "{debug: {msg: x}, when: '{{ true }}'}",
    "condition_empty": "{debug: {msg: x}, when: ''}",
    "condition_syntax": "{debug: {msg: x}, when: 'a ='}",
    "loop_over_text": "{debug: {msg: x}, loop: '{{ \"text\" }}'}",
    "loop_over_dict": "{debug: {msg: x}, loop: '{{ {\"a\": 1} }}'}",
    "loop_over_number": "{debug: {msg: x}, loop: '{{ 5 }}'}",
    "loop_over_none": "{debug: {msg: x}, loop: '{{ none }}'}",
    "loop_fails_for_one": "{command: '{{ item }}', loop: [/bin/true, /bin/false, /bin/echo]}",
    "include_missing": "include_tasks: nope.yml",
    "include_missing_for_one": "include_tasks: '{{ only | default(\"nope\") }}.yml'",
    "include_missing_ignored": "{include_tasks: nope.yml, ignore_errors: true}",
    "include_not_a_list": "include_tasks: dict.yml",
    "include_bad_yaml": "include_tasks: broken.yml",
    "include_empty": "include_tasks: empty.yml",
    "include_itself": "include_tasks: itself.yml",
    "include_bad_task": "include_tasks: bad_task.yml",
    "include_vars_missing": "include_vars: nope.yml",
    "include_vars_broken": "include_vars: broken.yml",
    "role_missing": "include_role: {name: nope}",
    "role_missing_rescued": "{block: [include_role: {name: nope}], rescue: [debug: {msg: rescued}]}",
    "role_tasks_from_missing": "include_role: {name: r, tasks_from: nope}",
    "handler_missing": "{command: echo, notify: nope}",
    "handler_fails": "{command: echo, notify: fails}",
    "handler_fails_for_one": "{command: echo, notify: fails for one}",
    "fails_after_notify": "{block: [{command: echo, notify: works}, {command: /bin/false}]}",
    "template_missing": "template: {src: nope.j2, dest: '{{ root }}/x'}",
    "template_undefined": "template: {src: undefined.j2, dest: '{{ root }}/x'}",
    "copy_missing": "copy: {src: nope, dest: '{{ root }}/x'}",
    "dest_missing": "copy: {content: x, dest: '{{ root }}/no/such/dir/x'}",
    "command_missing": "command: /nope/nope",
    "command_fails": "command: /bin/false",
    "command_fails_for_one": "command: '{{ only | default(\"/bin/false\") }}'",
    "chdir_missing": "command: echo chdir=/nope",
    "option_type": "wait_for: {timeout: soon}",
    "option_missing_rendered": "file: '{{ {\"state\": \"touch\"} }}'",
    "option_unknown_rendered": "file: '{{ {\"path\": \"/x\", \"nope\": 1} }}'",
    "option_choice_rendered": "file: {path: '{{ root }}/x', state: '{{ \"nope\" }}'}",
    "retries_type": "{command: echo, retries: '{{ \"x\" }}', until: true}",
    "timeout_hit": "{command: sleep 3, timeout: 1}",
    "delegate_to_nobody": "{command: echo, delegate_to: nobody, connection: local}",
    "assert_fails": "assert: {that: [1 == 1, 1 == 2], quiet: false}",
    "assert_bad": "assert: {that: '1 =='}",
    "assert_text": "assert: {that: [only == '/bin/true'], fail_msg: no, success_msg: yes}",
    "fail_rescued": "{block: [fail: {msg: a}], rescue: [fail: {msg: b}], always: [debug: {msg: always}]}",
    "fail_in_always": "{block: [debug: {msg: a}], always: [fail: {msg: b}]}",
    "run_once_fails": "{command: /bin/false, run_once: true}",
    "any_errors_fatal": "{command: '{{ only | default(\"/bin/false\") }}', any_errors_fatal: true}",
    "ignored_unreachable": "{ping: , ignore_unreachable: true, vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 9}}",
    "unreachable": "{ping: , vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 9}}",
    "unreachable_rescued": "{block: [{ping: , vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 9}}], rescue: [debug: {msg: r}]}",
    "meta_unknown": "{meta: '{{ \"nope\" }}'}",
    "meta_end_host_one": "{meta: end_host, when: only is defined}",
    "meta_end_play": "meta: end_play",
    "meta_end_batch": "meta: end_batch",
    "add_host_undefined": "add_host: {name: '{{ nope }}'}",
    "group_by_missing": "group_by: {}",
    "set_fact_name": "set_fact: {'a b': 1}",
    "set_fact_nothing": "set_fact: {}",
    "register_name": "{command: echo, register: a b}",
    "fail_with_loop_register": "{fail: {msg: '{{ item }}'}, loop: [a, b], register: r, failed_when: item == 'b'}",
    "no_log_fails": "{command: /bin/false, no_log: true}",
    "bad_interpreter_of_vault": "debug: {msg: '{{ sealed }}'}",
}
PER_CASE = 20
FILES = """-- host_vars/t1.yml --
only: /bin/true
odd: fine
-- host_vars/t2.yml --
odd: '{{ 1 + }}'
-- dict.yml --
a: 1
-- broken.yml --
- debug: {msg: [
-- empty.yml --
---
-- itself.yml --
- import_tasks: itself.yml
-- bad_task.yml --
- nosuchmodule_: {a: 1}
-- templates/undefined.j2 --
{{ nope }}
-- roles/r/tasks/main.yml --
- debug: {msg: in r}
-- sealed.yml --
sealed: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  3633
"""


def cases():
    names = list(TASKS)
    for n, start in enumerate(range(0, len(names), PER_CASE), 1):
        some = names[start:start + PER_CASE]
        runs = "\n".join(f"run: {name}.yml" for name in some)
        yield (f"failures/tasks_{n}", f"# What fails, who goes on, and how it ends.\nhosts: 2 local\nchecks: {len(some)}\n{runs}\n\n"
               + FILES + "".join(playbook(name) for name in some))


def playbook(name):
    sealed = "\n  vars_files: [sealed.yml]" if "sealed" in TASKS[name] else ""
    return f"""-- {name}.yml --
- hosts: all
  gather_facts: false{sealed}
  tasks:
    - {TASKS[name]}
    - name: goes on
      debug: {{msg: on}}
  handlers:
    - {{name: fails, command: /bin/false}}
    - {{name: fails for one, command: '{{{{ only | default("/bin/false") }}}}'}}
    - {{name: works, debug: {{msg: works}}}}
- hosts: all
  gather_facts: false
  tasks: [debug: {{msg: second play}}]
"""
