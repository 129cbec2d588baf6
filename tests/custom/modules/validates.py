"""Validates other arguments than its own."""
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import AnsibleValidationErrorMultiple, UnsupportedError


def main():
    module = AnsibleModule(argument_spec=dict(values=dict(type='dict', required=True)))
    validator = ArgumentSpecValidator(
        dict(name=dict(required=True), size=dict(type='int', default='3'), sub=dict(type='dict', options=dict(a=dict()))),
        mutually_exclusive=[('name', 'other')])
    result = validator.validate(module.params['values'])
    module.exit_json(
        messages=result.error_messages, values=result.validated_parameters, many=isinstance(
            result.errors, AnsibleValidationErrorMultiple), unsupported=[isinstance(e, UnsupportedError) for e in result.errors])


if __name__ == '__main__':
    main()
