"""Gives a file and a directory a mode."""
import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(work=dict(required=True), mode=dict(type='raw')), supports_check_mode=True)
    result = []
    os.makedirs(module.params['work'], exist_ok=True)
    for name, start in (('file', 0o640), ('directory', 0o2750)):
        path = os.path.join(module.params['work'], name)
        if name == 'file':
            open(path, 'w').close()
        else:
            os.makedirs(path, exist_ok=True)
        os.chmod(path, start)
        diff = {}
        changed = module.set_mode_if_different(path, module.params['mode'], False, diff)
        result.append([name, changed, diff, '%o' % (os.stat(path).st_mode & 0o7777)])
    module.exit_json(result=result)


if __name__ == '__main__':
    main()
