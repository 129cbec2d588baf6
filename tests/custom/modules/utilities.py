"""The small utilities."""
from ansible.module_utils._text import to_bytes, to_native, to_text
from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.dict_transformations import (
    camel_dict_to_snake_dict, dict_merge, recursive_diff, snake_dict_to_camel_dict,
)
from ansible.module_utils.common.text.formatters import bytes_to_human, human_to_bytes, lenient_lowercase
from ansible.module_utils.common.validation import check_required_arguments, check_type_dict, check_type_int
from ansible.module_utils.compat.version import LooseVersion, StrictVersion
from ansible.module_utils.parsing.convert_bool import BOOLEANS_TRUE, boolean
from ansible.module_utils.six import PY2, iteritems, string_types
from ansible.module_utils.six.moves import StringIO, configparser, shlex_quote
from ansible.module_utils.six.moves.urllib.parse import quote, urlencode


def main():
    module = AnsibleModule(argument_spec=dict())
    parser = configparser.ConfigParser()
    parser.read_string(u'[a]\nb = c\n')
    try:
        check_required_arguments({'x': {'required': True}}, {})
        missing = None
    except TypeError as err:
        missing = to_native(err)
    module.exit_json(
        snake=camel_dict_to_snake_dict({'HTTPEndpoint': {'TargetGroupARNs': [{'fooBar': 1}]}}),
        camel=snake_dict_to_camel_dict({'foo_bar': [{'baz_qux': 1}]}), merged=dict_merge({'a': {'b': 1}}, {'a': {'c': 2}}),
        diff=recursive_diff({'a': 1, 'b': 2}, {'a': 1, 'b': 3}), human=bytes_to_human(1536), size=human_to_bytes('1.5K'),
        module_size=module.human_to_bytes('2M'), lower=lenient_lowercase(['A', 1]), dictionary=check_type_dict('a=1 b="c d"'),
        number=check_type_int('12'), missing=missing, loose=LooseVersion('1.10') > LooseVersion('1.9'),
        strict=str(StrictVersion('1.2.0')), truth=[boolean('on'), boolean('x', strict=False), 'yes' in BOOLEANS_TRUE],
        two=PY2, pairs=sorted(iteritems({'a': 1})), text=isinstance('', string_types), io=StringIO(u'x').read(),
        ini=parser.get('a', 'b'), quoted=[shlex_quote('a b'), quote('a/b c'), urlencode({'a': 'b c'})],
        bytes=to_bytes(u'\xe9'), native=to_native(b'\xc3\xa9'), passed=to_text(None, nonstring='passthru'),
        library=missing_required_lib('nothing', reason='for this', url='https://example.org').split(' on ')[0],
    )


if __name__ == '__main__':
    main()
