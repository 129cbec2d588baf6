"""AnsibleModule's methods for owner, group, mode and other attributes of files."""
import grp
import os
import pwd
import re
import stat

from ansible.module_utils.basic import PERM_BITS
from ansible.module_utils.common.file import format_attributes
from ansible.module_utils.common.text.converters import to_bytes, to_native


def _path(path, expand=True):
    """Gives the path as bytes, with `~` and variables put in."""
    b_path = to_bytes(path, errors='surrogate_or_strict')
    return os.path.expanduser(os.path.expandvars(b_path)) if expand else b_path


def _note(diff, key, before, after):
    if diff is not None:
        diff.setdefault('before', {})[key] = before
        diff.setdefault('after', {})[key] = after


def check_file_absent_if_check_mode(module, file_path):
    """Says whether a file is missing that a run outside check mode would have made."""
    return module.check_mode and not os.path.exists(file_path)


def find_mount_point(module, path):
    """Gives the mount point that a path is under."""
    b_path = os.path.realpath(_path(path))
    while not os.path.ismount(b_path):
        b_path = os.path.dirname(b_path)
    return to_native(b_path)


def user_and_group(module, path, expand=True):
    """Gives the numbers of a file's owner and group."""
    found = os.lstat(_path(path, expand))
    return found.st_uid, found.st_gid


def load_file_common_arguments(module, params, path=None):
    """Gives the arguments for set_fs_attributes_if_different from a module's arguments."""
    path = params.get('path', params.get('dest')) if path is None else path
    if path is None:
        return {}
    b_path = _path(path)
    if params.get('follow', False) and os.path.islink(b_path):
        b_path = os.path.realpath(b_path)
    path = to_native(b_path)
    keys = ['seuser', 'serole', 'setype'] + (['selevel'] if module.selinux_mls_enabled() else [])
    secontext = [params.get(key) for key in keys]
    default = module.selinux_default_context(path)
    secontext = [default[i] if word == '_default' and i < len(default) else word for i, word in enumerate(secontext)]
    return dict(
        path=path, mode=params.get('mode'), owner=params.get('owner'), group=params.get('group'),
        seuser=params.get('seuser'), serole=params.get('serole'), setype=params.get('setype'),
        selevel=params.get('selevel'), secontext=secontext, attributes=params.get('attributes'),
    )


def set_fs_attributes_if_different(module, file_args, changed, diff=None, expand=True):
    """Gives a file its SELinux context, owner, group, mode and attributes; says whether something changed."""
    path = file_args['path']
    changed = module.set_context_if_different(path, file_args['secontext'], changed, diff)
    changed = module.set_owner_if_different(path, file_args['owner'], changed, diff, expand)
    changed = module.set_group_if_different(path, file_args['group'], changed, diff, expand)
    changed = module.set_mode_if_different(path, file_args['mode'], changed, diff, expand)
    return module.set_attributes_if_different(path, file_args['attributes'], changed, diff, expand)


set_file_attributes_if_different = set_directory_attributes_if_different = set_fs_attributes_if_different


def set_owner_if_different(module, path, owner, changed, diff=None, expand=True):
    """Gives a file an owner, by name or number."""
    if owner is None:
        return changed
    b_path = _path(path, expand)
    if module.check_file_absent_if_check_mode(b_path):
        return True
    before, gid = module.user_and_group(b_path, expand=False)
    try:
        uid = int(owner)
    except ValueError:
        try:
            uid = pwd.getpwnam(owner).pw_uid
        except KeyError:
            module.fail_json(path=to_native(b_path), msg='chown failed: failed to look up user %s' % owner)
    if before == uid:
        return changed
    _note(diff, 'owner', before, uid)
    if not module.check_mode:
        try:
            os.lchown(b_path, uid, -1)
        except OSError as err:
            module.fail_json(path=to_native(b_path), msg='chown failed: %s' % to_native(err))
    return True


def set_group_if_different(module, path, group, changed, diff=None, expand=True):
    """Gives a file a group, by name or number."""
    if group is None:
        return changed
    b_path = _path(path, expand)
    if module.check_file_absent_if_check_mode(b_path):
        return True
    _uid, before = module.user_and_group(b_path, expand=False)
    try:
        gid = int(group)
    except ValueError:
        try:
            gid = grp.getgrnam(group).gr_gid
        except KeyError:
            module.fail_json(path=to_native(b_path), msg='chgrp failed: failed to look up group %s' % group)
    if before == gid:
        return changed
    _note(diff, 'group', before, gid)
    if not module.check_mode:
        try:
            os.lchown(b_path, -1, gid)
        except OSError:
            module.fail_json(path=to_native(b_path), msg='chgrp failed')
    return True


def set_mode_if_different(module, path, mode, changed, diff=None, expand=True):
    """Gives a file a mode: a number, octal text, or symbols such as `u=rw,g-w`."""
    if mode is None:
        return changed
    b_path = _path(path, expand)
    shown = to_native(b_path)
    if module.check_file_absent_if_check_mode(b_path):
        return True
    found = os.lstat(b_path)
    if not isinstance(mode, int):
        try:
            mode = int(mode, 8)
        except (TypeError, ValueError):
            try:
                mode = _symbolic_mode_to_octal(found, mode)
            except (AttributeError, TypeError, ValueError) as err:
                module.fail_json(path=shown, msg='mode must be in octal or symbolic form', details=to_native(err))
    if mode != stat.S_IMODE(mode):
        module.fail_json(path=shown, msg='Invalid mode supplied, only permission info is allowed', details=mode)
    before = stat.S_IMODE(found.st_mode)
    if before == mode:
        return changed
    _note(diff, 'mode', '0%03o' % before, '0%03o' % mode)
    if module.check_mode:
        return True
    try:
        # Linux has no modes of links; what a link names is not to be changed by chance.
        if not stat.S_ISLNK(found.st_mode):
            os.chmod(b_path, mode)
        elif hasattr(os, 'lchmod'):
            os.lchmod(b_path, mode)
    except NotImplementedError:
        pass
    except OSError as err:
        module.fail_json(path=shown, msg='chmod failed', details=to_native(err))
    return changed or stat.S_IMODE(os.lstat(b_path).st_mode) != before


_SHIFTS = {'u': 6, 'g': 3, 'o': 0}


def _symbolic_mode_to_octal(path_stat, symbolic_mode):
    """Works out symbols such as `u=rwX,go-w` upon the mode that a file has."""
    mode = stat.S_IMODE(path_stat.st_mode)
    for clause in symbolic_mode.split(','):
        parts = re.split(r'([+=-])', clause)
        who, actions = parts[0], parts[1:]
        use_umask = not who
        who = 'ugo' if who in ('', 'a') else who
        if 'a' in who:
            who = 'ugo'
        if re.search('[^ugo]', who):
            raise ValueError('bad symbolic permission for mode: %s' % clause)
        for operator, perms in zip(actions[::2], actions[1::2]):
            if re.search('[^rwxXstugo]', perms):
                raise ValueError('bad symbolic permission for mode: %s' % clause)
            for user in who:
                mode = _apply(mode, path_stat, user, operator, perms, use_umask)
    return mode


def _apply(mode, path_stat, user, operator, perms, use_umask):
    """Applies one operator for the owner, the group or others."""
    shift = _SHIFTS[user]
    special = {'u': stat.S_ISUID, 'g': stat.S_ISGID, 'o': stat.S_ISVTX}[user]
    bits = 0
    for perm in perms:
        if perm in 'rwx':
            bits |= {'r': 4, 'w': 2, 'x': 1}[perm] << shift
        elif perm == 'X':
            if stat.S_ISDIR(path_stat.st_mode) or mode & 0o111:
                bits |= 1 << shift
        elif perm == 's':
            bits |= special if user != 'o' else 0
        elif perm == 't':
            bits |= stat.S_ISVTX if user == 'o' else 0
        else:
            bits |= (mode >> _SHIFTS[perm] & 7) << shift
    if use_umask:
        umask = os.umask(0)
        os.umask(umask)
        bits &= PERM_BITS - umask
    if operator == '=':
        return mode & ~(7 << shift | special) | bits
    return mode | bits if operator == '+' else mode & ~bits


def get_file_attributes(module, path, include_version=True):
    """Gives what lsattr says of a file; empty where that is not to be had."""
    found = {}
    lsattr = module.get_bin_path('lsattr', False)
    if not lsattr:
        return found
    command = [lsattr, '-vd' if include_version else '-d', to_native(path)]
    try:
        rc, out, _err = module.run_command(command, handle_exceptions=False)
    except OSError:
        return found
    words = out.split()
    if rc == 0 and len(words) > (1 if include_version else 0):
        if include_version:
            found['version'] = words.pop(0).strip()
        found['attr_flags'] = words[0].replace('-', '').strip()
        found['attributes'] = format_attributes(found['attr_flags'])
    return found


def set_attributes_if_different(module, path, attributes, changed, diff=None, expand=True):
    """Gives a file the attributes of chattr; `+` adds, `-` takes away, `=` or nothing sets."""
    if attributes is None:
        return changed
    b_path = _path(path, expand)
    if module.check_file_absent_if_check_mode(b_path):
        return True
    before = module.get_file_attributes(to_native(b_path), include_version=False)
    operator, wanted = '=', attributes
    if attributes[:1] in ('-', '+', '='):
        operator, wanted = attributes[:1], attributes[1:]
    flags = before.get('attr_flags', '')
    if flags == wanted and operator != '-':
        return changed
    chattr = module.get_bin_path('chattr')
    if chattr:
        _note(diff, 'attributes', before.get('attr_flags'), operator + wanted)
        if not module.check_mode:
            try:
                rc, out, err = module.run_command([chattr, operator + wanted, to_native(b_path)])
                if rc or err:
                    raise OSError('Error while setting attributes: %s' % (out + err))
            except OSError as err:
                module.fail_json(path=to_native(b_path), msg='chattr failed', details=to_native(err))
        changed = True
    return changed


def add_path_info(module, kwargs):
    """Adds a file's owner, group, mode, size and state to a result that names its path."""
    path = kwargs.get('path', kwargs.get('dest'))
    if path is None:
        return kwargs
    b_path = to_bytes(path, errors='surrogate_or_strict')
    if not os.path.exists(b_path):
        return kwargs
    uid, gid = module.user_and_group(path)
    kwargs['uid'], kwargs['gid'] = uid, gid
    try:
        kwargs['owner'] = pwd.getpwuid(uid).pw_name
    except KeyError:
        kwargs['owner'] = str(uid)
    try:
        kwargs['group'] = grp.getgrgid(gid).gr_name
    except KeyError:
        kwargs['group'] = str(gid)
    found = os.lstat(b_path)
    kwargs['mode'] = '0%03o' % stat.S_IMODE(found.st_mode)
    if os.path.islink(b_path):
        kwargs['state'] = 'link'
    elif os.path.isdir(b_path):
        kwargs['state'] = 'directory'
    else:
        kwargs['state'] = 'hard' if found.st_nlink > 1 else 'file'
    kwargs['size'] = found.st_size
    if module.selinux_enabled():
        kwargs['secontext'] = ':'.join(word or '' for word in module.selinux_context(path))
    return kwargs
