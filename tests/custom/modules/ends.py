"""Ends in the ways that modules end."""
import sys

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(how=dict(required=True)))
    how = module.params['how']
    if how == 'fail':
        module.fail_json('by place', changed=True, rc=7)
    if how == 'fail_no_text':
        module.fail_json(msg=['a', 1])
    if how == 'fail_exception':
        try:
            {}['key']
        except KeyError as err:
            module.fail_json(msg='no key: %s' % err, exception=err)
    if how == 'raise':
        raise RuntimeError('nobody caught this')
    if how == 'failed_exit':
        module.exit_json(failed=True, msg='failed all the same')
    if how == 'skipped':
        module.exit_json(skipped=True, msg='not needed')
    if how == 'facts':
        module.exit_json(ansible_facts={'custom_fact': {'a': [1, 2]}})
    if how == 'object':
        module.exit_json(thing=1j)
    if how == 'missing':
        module.fail_on_missing_params(['how', 'nothing'])
    if how == 'own_code':
        sys.stdout.write('{"changed": true, "own": 1}')
        sys.exit(0)
    module.exit_json()


if __name__ == '__main__':
    main()
