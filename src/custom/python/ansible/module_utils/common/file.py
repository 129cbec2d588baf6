"""What modes and attributes of files are made of."""
import os
import re
import stat

FILE_ATTRIBUTES = {
    'A': 'noatime', 'a': 'append', 'c': 'compressed', 'C': 'nocow', 'd': 'nodump', 'D': 'dirsync', 'e': 'extents',
    'E': 'encrypted', 'h': 'blocksize', 'i': 'immutable', 'I': 'indexed', 'j': 'journalled', 'N': 'inline',
    's': 'zero', 'S': 'synchronous', 't': 'notail', 'T': 'blockroot', 'u': 'undelete', 'X': 'compressedraw',
    'Z': 'compresseddirty',
}

USERS_RE = re.compile(r'[^ugo]')
PERMS_RE = re.compile(r'[^rwxXstugo]')
MODE_OPERATOR_RE = re.compile(r'[+=-]')

S_IRANY = 0o444
S_IWANY = 0o222
S_IXANY = 0o111
S_IRWU_RWG_RWO = 0o666
S_IRWU_RG_RO = 0o644
S_IRWXU_RXG_RXO = 0o755
_PERM_BITS = 0o7777
_EXEC_PERM_BITS = 0o111
_DEFAULT_PERM = 0o666


def is_executable(path):
    """Says whether anybody may execute the file."""
    return bool(os.stat(path)[stat.ST_MODE] & S_IXANY)


def format_attributes(attributes):
    """Gives the names of the attributes whose letters these are."""
    return [FILE_ATTRIBUTES[c] for c in attributes if c in FILE_ATTRIBUTES]


def get_flags_from_attributes(attributes):
    """Gives the letters of the attributes with these names."""
    return ''.join(letter for letter, name in FILE_ATTRIBUTES.items() if name in attributes)


def get_file_arg_spec():
    """Gives the arguments that modules for files share."""
    return dict(
        mode=dict(type='raw'), owner=dict(), group=dict(), seuser=dict(), serole=dict(), selevel=dict(), setype=dict(),
        attributes=dict(aliases=['attr']),
    )
