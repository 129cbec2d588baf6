"""Options in options."""
from ansible.module_utils.basic import AnsibleModule


def main():
    inner = dict(size=dict(type='int', required=True), unit=dict(choices=['kb', 'mb'], default='kb', aliases=['u']))
    module = AnsibleModule(argument_spec=dict(
        one=dict(type='dict', options=dict(
            a=dict(type='int'), b=dict(aliases=['bee']), deep=dict(type='dict', options=inner), secret=dict(no_log=True),
        ), mutually_exclusive=[('a', 'b')], required_one_of=[('a', 'b')]),
        many=dict(type='list', elements='dict', options=inner, required_together=[('size', 'unit')]),
        filled=dict(type='dict', apply_defaults=True, options=dict(x=dict(default='y'), z=dict(type='bool', default=False))),
        if_=dict(type='dict', options=dict(k=dict(), v=dict()), required_if=[('k', 'on', ('v',))]),
        by=dict(type='dict', options=dict(k=dict(), v=dict()), required_by={'k': 'v'}),
        text=dict(),
    ))
    module.exit_json(params=module.params)


if __name__ == '__main__':
    main()
