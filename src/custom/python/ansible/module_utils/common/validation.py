"""Checks of arguments: which ones are given, and what their values are."""
import json
import os

from ansible.module_utils.common.text.converters import jsonify, to_text
from ansible.module_utils.parsing.convert_bool import boolean


def _is_iterable(value):
    return hasattr(value, '__iter__') and not isinstance(value, (str, bytes))


def _within(message, options_context):
    """Adds in which suboptions a fault is."""
    return '%s found in %s' % (message, ' -> '.join(options_context)) if options_context else message


def count_terms(terms, parameters):
    """Counts how many of the terms are given."""
    return len((set(terms) if _is_iterable(terms) else {terms}).intersection(parameters))


def check_mutually_exclusive(terms, parameters, options_context=None):
    """Refuses arguments of which only one may be given."""
    clashes = [group for group in terms or () if count_terms(group, parameters) > 1]
    if clashes:
        listed = ', '.join('|'.join(group) for group in clashes)
        raise TypeError(_within('parameters are mutually exclusive: %s' % listed, options_context))
    return []


def check_required_one_of(terms, parameters, options_context=None):
    """Wants at least one argument of each group."""
    for group in terms or ():
        if count_terms(group, parameters) == 0:
            raise TypeError(_within('one of the following is required: %s' % ', '.join(group), options_context))
    return []


def check_required_together(terms, parameters, options_context=None):
    """Wants all arguments of a group when one is given."""
    for group in terms or ():
        given = [count_terms(name, parameters) for name in group]
        if any(given) and not all(given):
            raise TypeError(_within('parameters are required together: %s' % ', '.join(group), options_context))
    return []


def check_required_by(requirements, parameters, options_context=None):
    """Wants the arguments that another one needs."""
    for key, needed in (requirements or {}).items():
        if parameters.get(key) is None:
            continue
        missing = [n for n in ([needed] if isinstance(needed, str) else needed) if parameters.get(n) is None]
        if missing:
            message = "missing parameter(s) required by '%s': %s" % (key, ', '.join(missing))
            raise TypeError(_within(message, options_context))
    return {}


def check_required_arguments(argument_spec, parameters, options_context=None):
    """Wants the arguments that the spec requires."""
    missing = [k for k, v in (argument_spec or {}).items() if v.get('required', False) and k not in parameters]
    if missing:
        raise TypeError(_within('missing required arguments: %s' % ', '.join(sorted(missing)), options_context))
    return []


def check_required_if(requirements, parameters, options_context=None):
    """Wants arguments that go with another one's value."""
    for requirement in requirements or ():
        is_one_of = False
        if len(requirement) == 4:
            key, value, needed, is_one_of = requirement
        else:
            key, value, needed = requirement
        if key not in parameters or parameters[key] != value:
            continue
        missing = [name for name in needed if count_terms(name, parameters) == 0]
        if missing and (not is_one_of or len(missing) >= len(needed)):
            message = '%s is %s but %s of the following are missing: %s' % (
                key, value, 'any' if is_one_of else 'all', ', '.join(missing))
            raise TypeError(_within(message, options_context))
    return []


def check_missing_parameters(parameters, required_parameters=None):
    """Wants arguments that have a value."""
    missing = [name for name in required_parameters or () if not parameters.get(name)]
    if missing:
        raise TypeError('missing required arguments: %s' % ', '.join(missing))
    return []


def check_type_str(value, allow_conversion=True, param=None, prefix=''):
    """Makes text; None is empty."""
    if isinstance(value, str):
        return value
    if allow_conversion:
        return '' if value is None else to_text(value)
    raise TypeError("'%s' is not a string and conversion is not allowed" % (value,))


def check_type_list(value):
    """Makes a list, of text by its commas."""
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        return value.split(',')
    if isinstance(value, (int, float)):
        return [str(value)]
    raise TypeError('%s cannot be converted to a list' % type(value))


def check_type_dict(value):
    """Makes a dictionary, of text from JSON, a Python literal or `key=value` pairs."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise TypeError('%s cannot be converted to a dict' % type(value))
    if value.startswith('{'):
        try:
            return json.loads(value)
        except ValueError:
            pass
        try:
            from ast import literal_eval
            found = literal_eval(value)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise TypeError('unable to evaluate string as dictionary')
        return found
    if '=' not in value:
        raise TypeError('dictionary requested, could not parse JSON or key=value')
    pairs = [word.split('=', 1) for word in _words(value)]
    if any(len(pair) != 2 for pair in pairs):
        raise TypeError('unable to evaluate string in the "key=value" format as dictionary')
    return dict(pairs)


def _words(text):
    """Splits at commas and blanks that are neither quoted nor escaped, and drops the quotes."""
    words, word, quote, escaped = [], '', None, False
    for char in text.strip():
        if escaped:
            word, escaped = word + char, False
        elif char == '\\':
            escaped = True
        elif quote:
            if char == quote:
                quote = None
            else:
                word += char
        elif char in '\'"':
            quote = char
        elif char in ', ':
            if word:
                words.append(word)
            word = ''
        else:
            word += char
    return words + [word] if word else words


def check_type_bool(value):
    """Makes a boolean."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int, float)):
        return boolean(value)
    raise TypeError('%s cannot be converted to a bool' % type(value))


def check_type_int(value):
    """Makes an integer when nothing is lost by it."""
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
    if isinstance(value, (str, float)):
        import decimal
        try:
            number = decimal.Decimal(value)
            if number.is_finite() and number == number.to_integral_value():
                return int(number)
        except (decimal.DecimalException, TypeError, ValueError):
            pass
    raise TypeError('"%r" cannot be converted to an int' % (value,))


def check_type_float(value):
    """Makes a floating-point number."""
    if isinstance(value, float):
        return value
    if isinstance(value, (bytes, str, int)):
        try:
            return float(value)
        except ValueError:
            pass
    raise TypeError('%s cannot be converted to a float' % type(value))


def check_type_path(value):
    """Makes a path, with `~` and variables put in."""
    return os.path.expanduser(os.path.expandvars(check_type_str(value)))


def check_type_raw(value):
    """Keeps the value as it is."""
    return value


def _size(value, kind, isbits):
    from ansible.module_utils.common.text.formatters import human_to_bytes
    try:
        return human_to_bytes(value, isbits=isbits)
    except ValueError:
        raise TypeError('%s cannot be converted to a %s value' % (type(value), kind))


def check_type_bytes(value):
    """Reads a size in bytes."""
    return _size(value, 'Byte', False)


def check_type_bits(value):
    """Reads a size in bits."""
    return _size(value, 'Bit', True)


def check_type_jsonarg(value):
    """Makes JSON text; text is kept but for blanks around it."""
    if isinstance(value, (str, bytes)):
        return value.strip()
    if isinstance(value, (list, tuple, dict)):
        return jsonify(value)
    raise TypeError('%s cannot be converted to a json string' % type(value))
