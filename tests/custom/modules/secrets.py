"""What must not be shown."""
from ansible.module_utils.basic import AnsibleModule, heuristic_log_sanitize, remove_values, sanitize_keys


def main():
    module = AnsibleModule(argument_spec=dict(
        user=dict(), password=dict(no_log=True), pin=dict(type='int', no_log=True), many=dict(type='list', no_log=True),
        settings=dict(type='dict', no_log=True), passphrase=dict(), update_password=dict(no_log=False),
        fail=dict(type='bool', default=False),
    ))
    secret = module.params['password'] or ''
    result = dict(
        params=module.params, text='before %s after' % secret, exact=secret, nested=[{'k': ['x' + secret]}],
        number=module.params['pin'], key={secret or 'none': 'kept'},
        keys=sanitize_keys({'a' + secret: 1, 'changed': 2}, module.no_log_values),
        cleaned=remove_values({'a': 'tiger in it'}, ['tiger']), url=heuristic_log_sanitize('http://u:pw@host/x'),
        count=len(module.no_log_values),
    )
    if module.params['fail']:
        module.fail_json(msg='it was %s' % secret, **result)
    module.exit_json(**result)


if __name__ == '__main__':
    main()
