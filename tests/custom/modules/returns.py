"""Gives back values of many types."""
import datetime
from collections import OrderedDict

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.collections import ImmutableDict


def main():
    module = AnsibleModule(argument_spec=dict())
    module.exit_json(
        changed=False, none=None, yes=True, number=12345678901234567890, real=1.5, text=u'\xe9\u20ac\U0001f600', raw=b'bytes',
        things=(1, [2, {'a': {3}}]), when=datetime.datetime(2024, 5, 6, 7, 8, 9), day=datetime.date(2024, 5, 6),
        ordered=OrderedDict([('z', 1), ('a', 2)]), fixed=ImmutableDict(a=1), keys={'k': 1}.keys(), stdout='a\nb\n', stderr='',
        numbered={1: 'one'}, loop=range(3),
    )


if __name__ == '__main__':
    main()
