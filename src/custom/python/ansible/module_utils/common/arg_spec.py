"""Validates arguments by an argument spec."""
from copy import deepcopy

from ansible.module_utils.common.parameters import validate
from ansible.module_utils.common.warnings import deprecate, warn
from ansible.module_utils.errors import AnsibleValidationErrorMultiple, UnsupportedError


class ValidationResult(object):
    """What a validation found."""

    def __init__(self, parameters):
        self._no_log_values = set()
        self._unsupported = set()
        self._supported = None
        self._aliases = {}
        self._warnings = []
        self._deprecations = []
        self._parameters = deepcopy(parameters)
        self.errors = AnsibleValidationErrorMultiple()

    @property
    def validated_parameters(self):
        return self._parameters

    @property
    def unsupported_parameters(self):
        return self._unsupported

    @property
    def error_messages(self):
        return self.errors.messages


class ArgumentSpecValidator(object):
    """Validates arguments; wants no module."""

    def __init__(self, argument_spec, mutually_exclusive=None, required_together=None, required_one_of=None,
                 required_if=None, required_by=None):
        self.argument_spec = argument_spec
        self._conditions = {
            'mutually_exclusive': mutually_exclusive, 'required_together': required_together,
            'required_one_of': required_one_of, 'required_if': required_if, 'required_by': required_by,
        }
        self._valid_parameter_names = set(_names(argument_spec))

    def validate(self, parameters):
        """Gives a ValidationResult with the arguments converted and filled in, or the faults."""
        result = ValidationResult(parameters)
        validate(self.argument_spec, self._conditions, result._parameters, result)
        if result._unsupported:
            names = sorted('.'.join(n) if isinstance(n, tuple) else str(n) for n in result._unsupported)
            result.errors.append(UnsupportedError(
                '%s. Supported parameters include: %s.' % (', '.join(names), result._supported)))
        return result


def _names(argument_spec):
    for name, spec in argument_spec.items():
        aliases = spec.get('aliases')
        yield '%s (%s)' % (name, ', '.join(sorted(aliases))) if aliases else name


class ModuleArgumentSpecValidator(ArgumentSpecValidator):
    """Validates a module's arguments and passes its warnings on."""

    def validate(self, parameters):
        result = super(ModuleArgumentSpecValidator, self).validate(parameters)
        for entry in result._deprecations:
            deprecate(entry['msg'], version=entry.get('version'), date=entry.get('date'),
                      collection_name=entry.get('collection_name') or 'ansible.builtin')
        for text in result._warnings:
            warn(text)
        return result
