"""Reads small files, and sizes of file systems."""
import os


def get_file_content(path, default=None, strip=True):
    """Gives a file's text, or `default` when it is empty or cannot be read."""
    if not os.path.exists(path) or not os.access(path, os.R_OK):
        return default
    try:
        with open(path, errors='surrogateescape') as source:
            text = source.read()
    except OSError:
        return default
    return (text.strip() if strip else text) or default


def get_file_lines(path, strip=True, line_sep=None):
    """Gives a file's lines."""
    text = get_file_content(path, strip=strip)
    if not text:
        return []
    if line_sep is None:
        return text.splitlines()
    return text.rstrip(line_sep).split(line_sep) if len(line_sep) == 1 else text.split(line_sep)


def get_mount_size(mountpoint):
    """Gives how large and how full a file system is; empty when it cannot be asked."""
    try:
        found = os.statvfs(mountpoint)
    except OSError:
        return {}
    return dict(
        size_total=found.f_frsize * found.f_blocks, size_available=found.f_frsize * found.f_bavail,
        block_size=found.f_bsize, block_total=found.f_blocks, block_available=found.f_bavail,
        block_used=found.f_blocks - found.f_bavail, inode_total=found.f_files, inode_available=found.f_favail,
        inode_used=found.f_files - found.f_favail)
