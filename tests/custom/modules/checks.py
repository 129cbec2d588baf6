"""Supports check mode and differences."""
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(text=dict(default='new')), supports_check_mode=True)
    result = dict(changed=True, check=module.check_mode, diffed=module._diff, verbosity=module._verbosity)
    if module._diff:
        result['diff'] = dict(before='old\n', after=module.params['text'] + '\n', before_header='a', after_header='b')
    module.exit_json(**result)


if __name__ == '__main__':
    main()
