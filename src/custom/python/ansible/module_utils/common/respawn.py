"""Runs the module again under another Python, for instance the one that has a distribution's libraries.

What started the module sets `ansible.module_utils.basic._RESPAWN` to a function that runs the same module with the
same arguments under the Python whose path it gets, and gives its exit code.
"""
import os
import subprocess
import sys

_MARK = 'ANSIBLE_MODULE_RESPAWNED'


def has_respawned():
    """Says whether this is already the second run."""
    return os.environ.get(_MARK) == '1'


def respawn_module(interpreter_path):
    """Runs the module under another Python and ends with its exit code."""
    if has_respawned():
        raise Exception('module has already been respawned')
    from ansible.module_utils import basic
    if basic._RESPAWN is None:
        raise Exception('this module cannot be run again under %s: what started it does not offer that'
                        % interpreter_path)
    os.environ[_MARK] = '1'
    sys.exit(basic._RESPAWN(interpreter_path))


def probe_interpreters_for_module(interpreter_paths, module_name=None, module_names=None, env=None):
    """Gives the first of these Pythons that can import the modules, or None."""
    names = list(module_names or []) or [module_name]
    for path in interpreter_paths:
        if not os.path.exists(path):
            continue
        try:
            rc = subprocess.call([path, '-c', 'import ' + ', '.join(names)], env=env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError:
            continue
        if rc == 0:
            return path
    return None
