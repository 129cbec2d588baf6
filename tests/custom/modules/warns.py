"""Warns."""
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.warnings import deprecate, warn


def main():
    module = AnsibleModule(argument_spec=dict(fail=dict(type='bool')))
    module.warn('first')
    module.warn('first')
    warn('second')
    module.deprecate('old thing', version='9.0.0', collection_name='my.things')
    module.deprecate('older thing', date='2031-02-03', collection_name='my.things')
    deprecate('plain thing', version='3', collection_name='my.things')
    if module.params['fail']:
        module.fail_json(msg='no')
    module.exit_json()


if __name__ == '__main__':
    main()
