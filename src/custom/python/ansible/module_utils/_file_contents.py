"""AnsibleModule's methods that read, copy and replace files."""
import errno
import hashlib
import os
import shutil
import stat
import tempfile
import time

from ansible.module_utils.common.text.converters import to_bytes, to_native


def available_hash_algorithms():
    """Gives the hash functions by name."""
    found = {}
    for name in sorted(hashlib.algorithms_guaranteed):
        try:
            getattr(hashlib, name)()
        except (AttributeError, ValueError):
            continue  # a system that forbids it, such as md5 under FIPS
        found[name] = getattr(hashlib, name)
    return found


def digest_from_file(module, filename, algorithm):
    """Gives a file's digest in hexadecimal, or None when there is no such file."""
    path = to_bytes(filename, errors='surrogate_or_strict')
    if not os.path.exists(path):
        return None
    if os.path.isdir(path):
        module.fail_json(msg='attempted to take checksum of directory: %s' % filename)
    if hasattr(algorithm, 'hexdigest'):
        digest = algorithm
    else:
        known = available_hash_algorithms()
        if algorithm not in known:
            module.fail_json(msg="Could not hash file '%s' with algorithm '%s'. Available algorithms: %s"
                             % (filename, algorithm, ', '.join(known)))
        digest = known[algorithm]()
    with open(os.path.realpath(path), 'rb') as source:
        for block in iter(lambda: source.read(65536), b''):
            digest.update(block)
    return digest.hexdigest()


def md5(module, filename):
    """Gives a file's MD5 digest."""
    if 'md5' not in available_hash_algorithms():
        raise ValueError('MD5 not available.  Possibly running in FIPS mode')
    return module.digest_from_file(filename, 'md5')


def sha1(module, filename):
    """Gives a file's SHA-1 digest."""
    return module.digest_from_file(filename, 'sha1')


def sha256(module, filename):
    """Gives a file's SHA-256 digest."""
    return module.digest_from_file(filename, 'sha256')


def append_to_file(module, filename, str):
    """Adds text to the end of a file."""
    with open(os.path.expanduser(os.path.expandvars(filename)), 'a') as target:
        target.write(str)


def backup_local(module, fn):
    """Copies a file beside itself with the time in its name; gives that name, empty when there is no file."""
    if not os.path.exists(fn):
        return ''
    copy = '%s.%s.%s' % (fn, os.getpid(), time.strftime('%Y-%m-%d@%H:%M:%S~', time.localtime()))
    try:
        module.preserved_copy(fn, copy)
    except (shutil.Error, OSError) as err:
        module.fail_json(msg='Could not make backup of %s to %s: %s' % (fn, copy, to_native(err)))
    return copy


def preserved_copy(module, src, dest):
    """Copies a file with its mode, times, owner, SELinux context and attributes."""
    shutil.copy2(src, dest)
    if module.selinux_enabled():
        module.set_context_if_different(dest, module.selinux_context(src), False)
    try:
        there, here = os.stat(src), os.stat(dest)
        if (there.st_uid, there.st_gid) != (here.st_uid, here.st_gid):
            os.chown(dest, there.st_uid, there.st_gid)
    except OSError as err:
        if err.errno != errno.EPERM:
            raise
    flags = module.get_file_attributes(src, include_version=False).get('attr_flags')
    if flags:
        module.set_attributes_if_different(dest, '=' + flags, True)


def atomic_move(module, src, dest, unsafe_writes=False, keep_dest_attrs=True):
    """Puts a file in the place of another one in one step; the other's mode and owner stay."""
    b_src, b_dest = to_bytes(src, errors='surrogate_or_strict'), to_bytes(dest, errors='surrogate_or_strict')
    creating = not os.path.exists(b_dest)
    context = None
    if not creating and keep_dest_attrs:
        _take_attributes(b_src, b_dest)
        context = module.selinux_context(dest) if module.selinux_enabled() else None
    elif module.selinux_enabled():
        context = module.selinux_default_context(dest)

    try:
        os.rename(b_src, b_dest)
    except OSError as err:
        if err.errno not in (errno.EPERM, errno.EXDEV, errno.EACCES, errno.ETXTBSY, errno.EBUSY):
            raise Exception('Could not replace %r with %r.' % (to_native(dest), to_native(src))) from err
        _move_by_copy(module, b_src, b_dest, creating, keep_dest_attrs, unsafe_writes)

    if not creating:
        # The file that was there has changed now, however old the new one is.
        os.utime(b_dest)
    else:
        # As a file that is made newly, whoever made the temporary one.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(b_dest, 0o666 & ~umask)
        try:
            os.chown(b_dest, os.geteuid(), os.getegid())
        except OSError as err:
            if err.errno != errno.EPERM:
                raise
    if context is not None:
        module.set_context_if_different(dest, context, False)


def _take_attributes(b_src, b_dest):
    """Gives the new file the old one's mode and owner."""
    try:
        old = os.stat(b_dest)
        os.chmod(b_src, stat.S_IMODE(old.st_mode))
        os.chown(b_src, old.st_uid, old.st_gid)
    except OSError as err:
        if err.errno != errno.EPERM:
            raise


def _move_by_copy(module, b_src, b_dest, creating, keep_dest_attrs, unsafe_writes):
    """Copies to a temporary file beside the destination and renames that one."""
    directory, name = os.path.split(b_dest)
    temporary = None
    try:
        fd, temporary = tempfile.mkstemp(prefix=b'.ansible_tmp', suffix=name, dir=directory or b'.')
        os.close(fd)
        shutil.copy2(b_src, temporary)
        if not creating and keep_dest_attrs:
            _take_attributes(temporary, b_dest)
        os.rename(temporary, b_dest)
        temporary = None
        _unlink(b_src)
    except OSError as err:
        if unsafe_writes and err.errno in (errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS):
            module._unsafe_writes(b_src, b_dest)
        elif temporary is None:
            module.fail_json(msg='The destination directory (%s) is not writable by the current user. Error was: %s'
                             % (to_native(directory), to_native(err)), exception=err)
        else:
            module.fail_json(msg='Failed to replace file: %s to %s: %s'
                             % (to_native(b_src), to_native(b_dest), to_native(err)), exception=err)
    finally:
        if temporary is not None:
            _unlink(temporary)


def _unlink(path):
    try:
        os.unlink(path)
    except OSError:
        pass  # the file is where it should be; only a leftover stays


def _unsafe_writes(module, src, dest):
    """Writes into the file that is there, which is not atomic; for files that cannot be replaced."""
    try:
        with open(src, 'rb') as source, open(dest, 'wb') as target:
            shutil.copyfileobj(source, target)
    except OSError as err:
        module.fail_json(msg='Could not write data to file (%s) from (%s): %s'
                         % (to_native(dest), to_native(src), to_native(err)), exception=err)
