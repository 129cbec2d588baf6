"""Text that means true or false."""
BOOLEANS_TRUE = frozenset(('y', 'yes', 'on', '1', 'true', 't', 1))
BOOLEANS_FALSE = frozenset(('n', 'no', 'off', '0', 'false', 'f', 0))
BOOLEANS = BOOLEANS_TRUE | BOOLEANS_FALSE


def boolean(value, strict=True):
    """Gives the truth that `value` stands for; without `strict`, what stands for none is false."""
    if isinstance(value, bool):
        return value
    word = value
    if isinstance(value, bytes):
        word = value.decode('utf-8', 'surrogateescape')
    if isinstance(word, str):
        word = word.lower().strip()
    try:
        if word in BOOLEANS_TRUE:
            return True
        if word in BOOLEANS_FALSE:
            return False
    except TypeError:
        pass  # it cannot be hashed
    if not strict:
        return False
    raise TypeError("The value '%s' is not a valid boolean. Valid booleans include: %s"
                    % (value, ', '.join(repr(v) for v in BOOLEANS)))
