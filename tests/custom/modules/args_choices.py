"""Values that are limited."""
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(
        word=dict(choices=['a', 'b']), number=dict(type='int', choices=[1, 2]), switch=dict(choices=['no', 'always']),
        several=dict(type='list', elements='str', choices=['x', 'y']), secret=dict(choices=['a'], no_log=True),
    ))
    module.exit_json(params=module.params)


if __name__ == '__main__':
    main()
