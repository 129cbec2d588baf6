"""Finds programs."""
import os

from ansible.module_utils.common.file import is_executable


def get_bin_path(arg, opt_dirs=None, required=None):
    """Gives the path of a program from `opt_dirs`, PATH or the sbin directories; ValueError when there is none.

    `required` is of the past and has no effect.
    """
    dirs = [d for d in opt_dirs or () if d is not None and os.path.exists(d)]
    dirs += os.environ.get('PATH', '').split(os.pathsep)
    if os.path.isabs(arg):
        found = arg if os.path.isfile(arg) and is_executable(arg) else None
    else:
        found = None
        for sbin in ('/sbin', '/usr/sbin', '/usr/local/sbin'):
            if sbin not in dirs and os.path.exists(sbin):
                dirs.append(sbin)
        for directory in dirs:
            path = os.path.join(directory, arg)
            if directory and os.path.exists(path) and not os.path.isdir(path) and is_executable(path):
                found = path
                break
    if found is None:
        raise ValueError('Failed to find required executable "%s" in paths: %s' % (arg, os.pathsep.join(dirs)))
    return found
