"""Argument specs: aliases, defaults, types, choices, suboptions, and what must not be shown."""
import datetime
import os
from collections.abc import Mapping

from ansible.module_utils.common.text.converters import to_native
from ansible.module_utils.common.validation import (  # noqa: F401
    check_mutually_exclusive, check_required_arguments, check_required_by, check_required_if, check_required_one_of,
    check_required_together, check_type_bits, check_type_bool, check_type_bytes, check_type_dict, check_type_float,
    check_type_int, check_type_jsonarg, check_type_list, check_type_path, check_type_raw, check_type_str,
)
from ansible.module_utils.errors import (
    AliasError, AnsibleFallbackNotFound, ArgumentTypeError, ArgumentValueError, ElementError, MutuallyExclusiveError,
    NoLogError, RequiredByError, RequiredDefaultError, RequiredError, RequiredIfError, RequiredOneOfError,
    RequiredTogetherError, SubParameterTypeError,
)
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE, BOOLEANS_TRUE

MASK = 'VALUE_SPECIFIED_IN_NO_LOG_PARAMETER'
STARS = 8 * '*'

DEFAULT_TYPE_VALIDATORS = {
    'str': check_type_str, 'list': check_type_list, 'dict': check_type_dict, 'bool': check_type_bool,
    'int': check_type_int, 'float': check_type_float, 'path': check_type_path, 'raw': check_type_raw,
    'jsonarg': check_type_jsonarg, 'json': check_type_jsonarg, 'bytes': check_type_bytes, 'bits': check_type_bits,
}


def env_fallback(*args, **kwargs):
    """Gives the first of these environment variables that is set."""
    for arg in args:
        if arg in os.environ:
            return os.environ[arg]
    raise AnsibleFallbackNotFound


def set_fallbacks(argument_spec, parameters):
    """Fills in fallbacks of missing arguments; gives those that must not be shown."""
    hidden = set()
    for name, spec in argument_spec.items():
        fallback = spec.get('fallback', (None,))
        if fallback[0] is None or name in parameters:
            continue
        args, kwargs = [], {}
        for item in fallback[1:]:
            if isinstance(item, dict):
                kwargs = item
            else:
                args = item
        try:
            value = fallback[0](*args, **kwargs)
        except AnsibleFallbackNotFound:
            continue
        if spec.get('no_log', False) and value:
            hidden |= _texts(value)
        parameters[name] = value
    return hidden


def _aliases(argument_spec, parameters, prefix, result):
    """Gives each alias's option, puts values of aliases under the option and notes what is to be said of them."""
    owners = {}
    for name, spec in argument_spec.items():
        aliases = spec.get('aliases') or []
        if isinstance(aliases, (str, bytes)) or not hasattr(aliases, '__iter__'):
            raise TypeError('internal error: aliases must be a list or tuple')
        for old in spec.get('deprecated_aliases') or []:
            if old.get('name') in parameters:
                result._deprecations.append({
                    'msg': "Alias '%s%s' is deprecated. See the module docs for more information" % (
                        prefix, old['name']),
                    'version': old.get('version'), 'date': old.get('date'),
                    'collection_name': old.get('collection_name'),
                })
        if spec.get('required', False) and spec.get('default') is not None:
            raise ValueError('internal error: required and default are mutually exclusive for %s' % name)
        for alias in aliases:
            owners[alias] = name
            if alias in parameters:
                if name in parameters:
                    result._warnings.append(
                        'Both option %s%s and its alias %s%s are set.' % (prefix, name, prefix, alias))
                parameters[name] = parameters[alias]
    return owners


def _suboptions(spec):
    """Says whether the values are dictionaries with options of their own."""
    kind = spec.get('type', 'str')
    return spec.get('options') is not None and (kind == 'dict' or kind == 'list' and spec.get('elements') == 'dict')


def _list_no_log_values(argument_spec, parameters):
    """Collects the texts that must not be shown."""
    hidden = set()
    for name, spec in argument_spec.items():
        if spec.get('no_log', False) and parameters.get(name):
            try:
                hidden.update(_texts(parameters[name]))
            except TypeError as err:
                raise TypeError('Failed to convert "%s": %s' % (name, to_native(err)))
        value = parameters.get(name)
        if value is None or not _suboptions(spec):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                item = check_type_dict(item)
            if not isinstance(item, Mapping):
                raise TypeError("Value '%s' in the sub parameter field '%s' must be a %s, not '%s'"
                                % (item, name, spec.get('type'), type(item).__name__))
            hidden |= _list_no_log_values(spec['options'], item)
    return hidden


def _texts(value):
    """Gives all texts that are in a value."""
    if isinstance(value, (str, bytes)):
        text = to_native(value, errors='surrogate_or_strict')
        return {text} if text else set()
    if isinstance(value, Mapping):
        value = value.values()
    elif isinstance(value, bool) or value is None:
        return set()
    elif isinstance(value, (int, float, datetime.date, datetime.datetime)):
        return {to_native(value)}
    elif not hasattr(value, '__iter__'):
        raise TypeError('Value of unknown type: %s, %s' % (type(value), value))
    return set().union(*(_texts(v) for v in value))


def _removals(argument_spec, parameters, prefix=''):
    """Gives the deprecations of options that are given and will be removed."""
    found = []
    for name, spec in argument_spec.items():
        if name not in parameters:
            continue
        path = '%s["%s"]' % (prefix, name) if prefix else name
        for key, at in (('removed_at_date', 'date'), ('removed_in_version', 'version')):
            if spec.get(key) is not None:
                found.append({
                    'msg': "Param '%s' is deprecated. See the module docs for more information" % path,
                    at: spec[key], 'collection_name': spec.get('removed_from_collection'),
                })
                break
        value = parameters[name]
        if spec.get('options') is not None:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Mapping):
                    found.extend(_removals(spec['options'], item, path))
    return found


def _defaults(argument_spec, parameters, with_none):
    """Fills in defaults, at the end also None; gives those that must not be shown."""
    hidden = set()
    for name, spec in argument_spec.items():
        default = spec.get('default')
        if name in parameters or (default is None and not with_none):
            continue
        parameters[name] = default
        if spec.get('no_log', False) and default:
            hidden |= _texts(default)
    return hidden


def _type_name(wanted):
    return getattr(wanted, '__name__', str(wanted)) if callable(wanted) else wanted or 'str'


def _converter(wanted):
    if callable(wanted):
        return wanted
    try:
        return DEFAULT_TYPE_VALIDATORS[wanted or 'str']
    except KeyError:
        raise TypeError("'NoneType' object is not callable")


def _check_types(argument_spec, parameters, context, errors):
    """Makes each value what its type says."""
    for name, spec in argument_spec.items():
        if name not in parameters:
            continue
        value = parameters[name]
        if value is None and not spec.get('required') and spec.get('default') is None:
            continue
        wanted = spec.get('type')
        try:
            value = parameters[name] = _converter(wanted)(value)
        except (TypeError, ValueError) as err:
            where = " found in '%s'." % ' -> '.join(context) if context else ''
            errors.append(ArgumentTypeError("argument '%s' is of type %s%s and we were unable to convert to %s: %s" % (
                name, type(value).__name__, where, _type_name(wanted), to_native(err))))
            continue
        elements = spec.get('elements')
        if elements is None:
            continue
        if wanted != 'list' or not isinstance(value, list):
            errors.append(ElementError(
                "Invalid type %s for option '%s', elements value check is supported only with 'list' type"
                % (wanted, value)))
            continue
        parameters[name] = converted = []
        for item in value:
            try:
                converted.append(_converter(elements)(item))
            except (TypeError, ValueError) as err:
                where = " found in '%s'" % ' -> '.join(context) if context else ''
                errors.append(ElementError(
                    "Elements value for option '%s'%s is of type %s and we were unable to convert to %s: %s"
                    % (name, where, type(item).__name__, _type_name(elements), to_native(err))))


def _check_choices(argument_spec, parameters, context, errors):
    """Wants values to be among their choices; YAML's booleans are given back the word that they were."""
    for name, spec in argument_spec.items():
        choices = spec.get('choices')
        if choices is None:
            continue
        where = ' found in %s' % ' -> '.join(context) if context else ''
        if isinstance(choices, (str, bytes, Mapping, set)) or not hasattr(choices, '__iter__'):
            errors.append(ArgumentTypeError(
                'internal error: choices for argument %s are not iterable: %s%s' % (name, choices, where)))
            continue
        if name not in parameters:
            continue
        value = parameters[name]
        listed = ', '.join(to_native(c) for c in choices)
        if isinstance(value, list):
            wrong = [v for v in value if v not in choices]
            if wrong:
                errors.append(ArgumentValueError('value of %s must be one or more of: %s. Got no match for: %s%s' % (
                    name, listed, ', '.join(to_native(v) for v in wrong), where)))
            continue
        if value in choices:
            continue
        words = {'False': BOOLEANS_FALSE, 'True': BOOLEANS_TRUE}.get(value) if isinstance(value, str) else None
        fitting = words.intersection(choices) if words else ()
        if len(fitting) == 1:
            parameters[name] = next(iter(fitting))
            continue
        errors.append(ArgumentValueError('value of %s must be one of: %s, got: %s%s' % (name, listed, value, where)))


_CONDITIONS = (
    ('required_together', check_required_together, RequiredTogetherError),
    ('required_one_of', check_required_one_of, RequiredOneOfError),
    ('required_if', check_required_if, RequiredIfError),
    ('required_by', check_required_by, RequiredByError),
)


def _supported(argument_spec):
    """Lists the options, then all their aliases, for people."""
    aliases = sorted({a for spec in argument_spec.values() for a in spec.get('aliases') or ()})
    return ', '.join(sorted(argument_spec)) + (' (%s)' % ', '.join(aliases) if aliases else '')


def validate(argument_spec, conditions, parameters, result, context=(), prefix=''):
    """Checks one level of arguments, and the suboptions below it, and fills `parameters` in.

    Faults, warnings, deprecations and secrets go into `result`, which a ValidationResult is.
    """
    errors = result.errors
    secrets = result._no_log_values
    secrets |= set_fallbacks(argument_spec, parameters)
    try:
        owners = _aliases(argument_spec, parameters, prefix, result)
    except TypeError as err:
        errors.append(AliasError(to_native(err)))
        owners = {}
    except ValueError as err:
        errors.append(RequiredDefaultError(to_native(err)))
        owners = {}
    try:
        secrets |= _list_no_log_values(argument_spec, parameters)
    except TypeError as err:
        errors.append((SubParameterTypeError if context else NoLogError)(to_native(err)))
    if not context:
        result._deprecations.extend(_removals(argument_spec, parameters))
        result._aliases = owners

    unknown = [k for k in parameters if k not in argument_spec and k not in owners]
    if unknown:
        result._unsupported.update(context + (k,) if context else k for k in unknown)
        if result._supported is None or not context:
            result._supported = _supported(argument_spec)

    _try(check_mutually_exclusive, MutuallyExclusiveError, errors, conditions.get('mutually_exclusive'), parameters,
         context)
    secrets |= _defaults(argument_spec, parameters, with_none=False)
    _try(check_required_arguments, RequiredError, errors, argument_spec, parameters, context)
    _check_types(argument_spec, parameters, context, errors)
    _check_choices(argument_spec, parameters, context, errors)
    for key, check, error in _CONDITIONS:
        _try(check, error, errors, conditions.get(key), parameters, context)
    secrets |= _defaults(argument_spec, parameters, with_none=True)
    for name, spec in argument_spec.items():
        if _suboptions(spec):
            _validate_suboptions(name, spec, parameters, result, context, prefix)


def _try(check, error, errors, terms, parameters, context):
    try:
        check(terms, parameters, list(context))
    except TypeError as err:
        errors.append(error(to_native(err)))


def _validate_suboptions(name, spec, parameters, result, context, prefix):
    if spec.get('apply_defaults', False) and parameters.get(name) is None:
        parameters[name] = {}
    value = parameters.get(name)
    if value is None:
        return
    items = value if isinstance(value, list) else [value]
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            result.errors.append(SubParameterTypeError("value of '%s' must be of type dict or list of dicts" % name))
            continue
        at = '%s%s[%d].' % (prefix, name, i) if isinstance(value, list) else '%s%s.' % (prefix, name)
        validate(spec['options'], spec, item, result, context + (name,), at)


def remove_values(value, no_log_strings):
    """Gives the value with every secret in its texts and numbers covered."""
    secrets = sorted({to_native(s, errors='surrogate_or_strict') for s in no_log_strings}, key=len, reverse=True)
    return _cover(value, secrets)


def _cover(value, secrets):
    if isinstance(value, (str, bytes)):
        return _cover_text(to_native(value, errors='surrogate_or_strict'), secrets)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {to_native(k) if isinstance(k, bytes) else k: _cover(v, secrets) for k, v in value.items()}
    if isinstance(value, (set, frozenset)):
        return {_cover(v, secrets) for v in value}
    if isinstance(value, (int, float)):
        text = str(value)
        return MASK if any(s in text for s in secrets) else value
    if isinstance(value, (datetime.date, datetime.time)):
        return _cover_text(value.isoformat(), secrets)
    if hasattr(value, '__len__') and hasattr(value, '__iter__'):
        return [_cover(v, secrets) for v in value]
    raise TypeError('Value of unknown type: %s, %s' % (type(value), value))


def _cover_text(text, secrets):
    try:
        text.encode('utf-8')
    except UnicodeEncodeError:
        # JSON has no place for bytes that are no text; a reader would refuse all of it.
        text = text.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace')
    if text in secrets:
        return MASK
    for secret in secrets:
        if secret:
            text = text.replace(secret, STARS)
    return text


def sanitize_keys(obj, no_log_strings, ignore_keys=frozenset()):
    """Gives the value with the secrets in keys of dictionaries covered."""
    secrets = sorted({to_native(s, errors='surrogate_or_strict') for s in no_log_strings}, key=len, reverse=True)

    def clean(value):
        if isinstance(value, Mapping):
            return {_clean_key(k): clean(v) for k, v in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return type(value)(clean(v) for v in value)
        return value

    def _clean_key(key):
        if not isinstance(key, (str, bytes)) or key in ignore_keys or to_native(key).startswith('_ansible'):
            return key
        return _cover_text(to_native(key, errors='surrogate_or_strict'), secrets)

    return clean(obj)
