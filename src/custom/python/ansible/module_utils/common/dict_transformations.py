"""Turns the names in dictionaries from camelCase to snake_case and back, and joins and compares dictionaries."""
import re
from copy import deepcopy


def camel_dict_to_snake_dict(camel_dict, reversible=False, ignore_list=()):
    """Gives a dictionary with snake_case names; what is under the names in `ignore_list` is kept."""
    def values(value):
        if isinstance(value, dict):
            return camel_dict_to_snake_dict(value, reversible)
        return [values(v) for v in value] if isinstance(value, list) else value
    return {_camel_to_snake(k, reversible): v if k in ignore_list else values(v) for k, v in camel_dict.items()}


def snake_dict_to_camel_dict(snake_dict, capitalize_first=False):
    """Gives a dictionary with camelCase names."""
    if isinstance(snake_dict, list):
        return [snake_dict_to_camel_dict(v, capitalize_first) for v in snake_dict]
    if not isinstance(snake_dict, dict):
        return snake_dict
    return {_snake_to_camel(k, capitalize_first): snake_dict_to_camel_dict(v, capitalize_first)
            for k, v in snake_dict.items()}


def _camel_to_snake(name, reversible=False):
    if reversible:
        return re.sub('(?<!^)([A-Z])', r'_\1', name).lower()
    # A plural such as `ARNs` at the end is one word.
    name = re.sub('[A-Z]{3,}s$', lambda found: ('_' if found.start() else '') + found.group().lower(), name)
    name = re.sub('(.)([A-Z][a-z]+)', r'\1_\2', name)
    return re.sub('([a-z0-9])([A-Z]+)', r'\1_\2', name).lower()


def _snake_to_camel(snake, capitalize_first=False):
    words = snake.split('_')
    first = '' if capitalize_first else words.pop(0)
    return first + ''.join(word.capitalize() or '_' for word in words)


def dict_merge(a, b):
    """Gives `a` with the entries of `b` put in, at every depth."""
    if not isinstance(b, dict):
        return b
    result = deepcopy(a)
    for key, value in b.items():
        both = isinstance(result.get(key), dict) and isinstance(value, dict)
        result[key] = dict_merge(result[key], value) if both else deepcopy(value)
    return result


def recursive_diff(dict1, dict2):
    """Gives what each of two dictionaries has that the other has not, or None when they are equal."""
    if not isinstance(dict1, dict) or not isinstance(dict2, dict):
        raise TypeError("Unable to diff 'dict1' %s and 'dict2' %s. Both must be a dictionary." % (
            type(dict1), type(dict2)))
    left = {k: v for k, v in dict1.items() if k not in dict2}
    right = {k: v for k, v in dict2.items() if k not in dict1}
    for key in dict1:
        if key not in dict2 or dict1[key] == dict2[key]:
            continue
        if isinstance(dict1[key], dict) and isinstance(dict2[key], dict):
            left[key], right[key] = recursive_diff(dict1[key], dict2[key])
        else:
            left[key], right[key] = dict1[key], dict2[key]
    return (left, right) if left or right else None
