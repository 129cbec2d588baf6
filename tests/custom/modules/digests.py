"""Digests of a file."""
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(path=dict(), algorithm=dict(default='sha512')))
    path = module.params['path']
    module.exit_json(md5=module.md5(path), sha1=module.sha1(path), sha256=module.sha256(path),
                     other=module.digest_from_file(path, module.params['algorithm']))


if __name__ == '__main__':
    main()
