"""Does not support check mode."""
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(text=dict()))
    module.exit_json(changed=True, check=module.check_mode)


if __name__ == '__main__':
    main()
