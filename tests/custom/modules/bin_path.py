"""Finds programs."""
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.process import get_bin_path


def main():
    module = AnsibleModule(argument_spec=dict(name=dict(), required=dict(type='bool'), dirs=dict(type='list')))
    try:
        direct = get_bin_path('no-such-program').replace('x', 'x')
    except ValueError as err:
        direct = str(err).split(' in paths')[0]
    module.exit_json(direct=direct, found=module.get_bin_path(
        module.params['name'], required=module.params['required'], opt_dirs=module.params['dirs']))


if __name__ == '__main__':
    main()
