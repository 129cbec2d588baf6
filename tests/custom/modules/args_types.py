"""Every type of argument."""
from ansible.module_utils.basic import AnsibleModule


def doubled(value):
    if value == 'boom':
        raise ValueError('it went %s' % value)
    return value * 2


def main():
    module = AnsibleModule(argument_spec=dict(
        s=dict(), i=dict(type='int'), f=dict(type='float'), b=dict(type='bool'), li=dict(type='list'),
        d=dict(type='dict'), p=dict(type='path'), r=dict(type='raw'), j=dict(type='json'), ja=dict(type='jsonarg'),
        by=dict(type='bytes'), bi=dict(type='bits'), c=dict(type=doubled),
        ints=dict(type='list', elements='int'), dicts=dict(type='list', elements='dict'),
        strs=dict(type='list', elements='str'), paths=dict(type='list', elements='path'),
    ))
    module.exit_json(params=module.params)


if __name__ == '__main__':
    main()
