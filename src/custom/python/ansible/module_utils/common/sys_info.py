"""Which distribution this is, and which subclass is for it."""
import platform

from ansible.module_utils import distro

_NAMES = {'Amzn': 'Amazon', 'Rhel': 'Redhat', 'Ol': 'OracleLinux', 'Oracle': 'OracleLinux'}


def get_distribution():
    """Gives the distribution's name, such as `Debian`; elsewhere than on Linux the system's."""
    name = distro.id().capitalize()
    if platform.system() == 'Linux':
        return _NAMES.get(name, name or 'OtherLinux')
    return name or None


def get_distribution_version():
    """Gives the distribution's version; for Debian and CentOS with the point release."""
    version = distro.version()
    if version is not None and distro.id() in ('debian', 'centos'):
        best = distro.version(best=True)
        if distro.id() == 'centos':
            return '.'.join(best.split('.')[:2])
        return best
    return version or ''


def get_distribution_codename():
    """Gives the release's name, such as `bookworm`, or None."""
    return distro.os_release_attr('version_codename') or distro.codename() or None


def get_all_subclasses(cls, include_abstract=True, consider_self=False):
    """Gives all subclasses, also those of subclasses."""
    found = {cls} if consider_self else set()
    for sub in cls.__subclasses__():
        found |= {sub} | get_all_subclasses(sub)
    if not include_abstract:
        found = {c for c in found if not getattr(c, '__abstractmethods__', None)}
    return found


def get_platform_subclass(cls):
    """Gives the subclass for this distribution, else the one for this system, else the class itself."""
    system, distribution = platform.system(), get_distribution()
    for wanted in ((distribution,) if distribution is not None else ()) + (None,):
        for sub in get_all_subclasses(cls):
            if getattr(sub, 'distribution', None) == wanted and getattr(sub, 'platform', None) == system:
                return sub
    return cls
