"""Runs a program with the arguments of run_command that it is given."""
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(
        args=dict(type='raw', required=True), options=dict(type='dict', default={}), env=dict(type='dict', default={}),
        secret=dict(no_log=True),
    ))
    module.run_command_environ_update = module.params['env']
    rc, out, err = module.run_command(module.params['args'], **module.params['options'])
    module.exit_json(changed=True, rc=rc, stdout=out, stderr=err)


if __name__ == '__main__':
    main()
