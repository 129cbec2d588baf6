"""The rarer arguments of run_command."""
import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict())
    seen = []
    raw = module.run_command(['printf', r'\351\n'], encoding=None)
    latin = module.run_command(['printf', r'\351\n'], encoding='latin-1')
    binary = module.run_command(['cat'], data=b'a\x00b', binary_data=True)
    read, write = os.pipe()
    passed = module.run_command('echo through >&%d' % write, use_unsafe_shell=True, pass_fds=(write,))
    os.close(write)
    through = os.read(read, 100)
    module.run_command(['true'], before_communicate_callback=lambda process: seen.append(process.args[0]))
    try:
        module.run_command(['/no/such/program'], handle_exceptions=False)
    except OSError as err:
        error = type(err).__name__
    module.exit_json(raw=str(raw[1]), latin=latin, binary=binary[1], passed=passed[0], through=through, seen=seen,
                     error=error)


if __name__ == '__main__':
    main()
