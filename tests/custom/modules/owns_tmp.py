"""Uses the directory for temporary files and internal attributes."""
import os
import tempfile

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(), supports_check_mode=True)
    handle, path = tempfile.mkstemp(dir=module.tmpdir)
    os.close(handle)
    module.add_cleanup_file(path)
    module.log('a message', log_args={'a': 1})
    module.debug('another')
    module.exit_json(inside=os.path.samefile(os.path.dirname(path), module.tmpdir), name=module._name, version=module.ansible_version,
                     no_log=module.no_log, supports=module.supports_check_mode, spec=module.argument_spec,
                     buffer=module.get_buffer_size(0) > 0, bools=[module.boolean('off'), module.boolean(None)],
                     jsonified=module.jsonify({'a': [1]}), parsed=module.from_json('{"b": 2}'))


if __name__ == '__main__':
    main()
