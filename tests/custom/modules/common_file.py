"""Has the arguments that modules for files share."""
import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(path=dict(type='path', required=True), make=dict(type='bool', default=True)),
                           add_file_common_args=True, supports_check_mode=True)
    path = module.params['path']
    if os.path.exists(path):
        os.unlink(path)
    if module.params['make']:
        with open(path, 'w') as target:
            target.write('four')
        os.chmod(path, 0o644)
    diff = dict(before={}, after={})
    arguments = module.load_file_common_arguments(module.params)
    changed = module.set_fs_attributes_if_different(arguments, False, diff)
    module.exit_json(changed=changed, path=path, diff=diff, arguments=arguments)


if __name__ == '__main__':
    main()
