"""AnsibleModule's methods for SELinux, by the files of the kernel and the programs of libselinux.

Python's SELinux library need not be on the machine.
"""
import os

from ansible.module_utils.common.text.converters import to_bytes, to_native

_LABEL = 'security.selinux'


def selinux_enabled(module):
    """Says whether SELinux is on."""
    if module._selinux_enabled is None:
        module._selinux_enabled = os.path.exists('/sys/fs/selinux/enforce')
    return module._selinux_enabled


def selinux_mls_enabled(module):
    """Says whether contexts have a level."""
    if module._selinux_mls_enabled is None:
        module._selinux_mls_enabled = False
        if module.selinux_enabled():
            try:
                with open('/sys/fs/selinux/mls') as source:
                    module._selinux_mls_enabled = source.read().strip() == '1'
            except OSError:
                pass  # an old kernel without levels
    return module._selinux_mls_enabled


def selinux_initial_context(module):
    """Gives a context without values: user, role, type and, with levels, level."""
    return [None] * (4 if module.selinux_mls_enabled() else 3)


def selinux_default_context(module, path, mode=0):
    """Gives the context that the policy wants for a path."""
    empty = module.selinux_initial_context()
    if not module.selinux_enabled():
        return empty
    program = module.get_bin_path('matchpathcon')
    if program is None:
        return empty
    rc, out, _err = module.run_command([program, '-n', path], expand_user_and_vars=False)
    return out.strip().split(':', 3) if rc == 0 and ':' in out else empty


def selinux_context(module, path):
    """Gives a file's context."""
    empty = module.selinux_initial_context()
    if not module.selinux_enabled():
        return empty
    try:
        label = os.getxattr(to_bytes(path), _LABEL, follow_symlinks=False)
    except FileNotFoundError as err:
        module.fail_json(path=path, msg='path %s does not exist' % path, exception=err)
    except OSError:
        return empty  # the file system has no labels
    return to_native(label.rstrip(b'\0')).split(':', 3)


def is_special_selinux_path(module, path):
    """Says whether a path is on a file system whose files all have one context, and which context that is."""
    mount = module.find_mount_point(path)
    try:
        with open('/proc/mounts') as source:
            lines = [line.split() for line in source]
    except OSError:
        return False, None
    for words in lines:
        if len(words) > 2 and words[1] == to_native(mount):
            if any(words[2].startswith(fs) for fs in module._selinux_special_fs):
                return True, module.selinux_context(mount)
    return False, None


def set_default_selinux_context(module, path, changed):
    """Gives a file the context that the policy wants."""
    if not module.selinux_enabled():
        return changed
    return module.set_context_if_different(path, module.selinux_default_context(path), False)


def set_context_if_different(module, path, context, changed, diff=None):
    """Gives a file the values of a context that are not None."""
    if not module.selinux_enabled():
        return changed
    if module.check_file_absent_if_check_mode(path):
        return True
    now = module.selinux_context(path)
    special, special_context = module.is_special_selinux_path(path)
    if special:
        wanted = special_context
    else:
        wanted = [new if new else old for old, new in zip(now, list(context) + [None] * len(now))]
    if wanted == now or None in wanted:
        return changed
    if diff is not None:
        diff.setdefault('before', {})['secontext'] = now
        diff.setdefault('after', {})['secontext'] = wanted
    if not module.check_mode:
        try:
            os.setxattr(to_bytes(path), _LABEL, to_bytes(':'.join(wanted)) + b'\0', follow_symlinks=False)
        except OSError as err:
            module.fail_json(path=path, msg='invalid selinux context: %s' % to_native(err), new_context=wanted,
                             cur_context=now, input_was=context)
    return True
