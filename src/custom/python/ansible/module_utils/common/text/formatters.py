"""Sizes as people write them."""
import re

_LETTERS = 'YZEPTGMKB'
SIZE_RANGES = {letter: 1 << 10 * (len(_LETTERS) - 1 - i) for i, letter in enumerate(_LETTERS)}
_NAMES = dict(Y='yotta', Z='zetta', E='exa', P='peta', T='tera', G='giga', M='mega', K='kilo', B='')
VALID_UNITS = {
    u: ((n + 'byte', u.replace('B', '') + 'B'), (n + 'bit', u.replace('B', '') + 'b')) for u, n in _NAMES.items()
}


def lenient_lowercase(lst):
    """Lowers the texts of a list and keeps its other values."""
    return [v.lower() if hasattr(v, 'lower') else v for v in lst]


def human_to_bytes(number, default_unit=None, isbits=False):
    """Reads a size such as `10M`, `1.5 GB` or, with `isbits`, `3Mb`."""
    found = re.match(r'\s*(\d*\.?\d*)\s*([A-Za-z]+)?', str(number))
    digits = found.group(1) if found else ''
    try:
        amount = float(digits)
    except ValueError:
        raise ValueError("human_to_bytes() can't interpret following string: %s" % (number,))
    rest = str(number)[found.end():].strip()
    if rest:
        raise ValueError("human_to_bytes() can't interpret following string: %s" % (number,))
    unit = found.group(2) or default_unit
    if not unit:
        return int(round(amount))
    letter = unit[0].upper()
    if letter not in SIZE_RANGES:
        raise ValueError('human_to_bytes() failed to convert %s (unit = %s). The suffix must be one of %s'
                         % (number, unit, ', '.join(_LETTERS)))
    name, short = VALID_UNITS[letter][1 if isbits else 0]
    # A lone letter is of either kind; otherwise `b` is a bit and `B` a byte, and a spelled-out name has any case.
    if len(unit) > 1 and unit.lower() != name and unit != short:
        expect = '%s or %s' % (short, name if letter == 'B' else letter)
        raise ValueError(
            'human_to_bytes() failed to convert %s. Value is not a valid string (expect %s)' % (number, expect))
    return int(round(amount * SIZE_RANGES[letter]))


def bytes_to_human(size, isbits=False, unit=None):
    """Writes a size with two digits and its unit, such as `1.50 KB`."""
    wanted = unit.upper() if unit else None
    letter, limit = 'B', 1
    for letter in _LETTERS:
        limit = SIZE_RANGES[letter]
        if wanted == letter or (wanted is None and size >= limit):
            break
    else:
        letter, limit = 'B', 1
    if limit == 1:
        suffix = 'bits' if isbits else 'Bytes'
    else:
        suffix = letter + ('b' if isbits else 'B')
    return '%.2f %s' % (size / limit, suffix)
