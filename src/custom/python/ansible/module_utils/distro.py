"""Names the Linux distribution by /etc/os-release."""
import re

_IDS = {'ol': 'oracle', 'opensuse-leap': 'opensuse'}
_info = None


def os_release_info():
    """Gives the values of os-release by their lower-case names."""
    global _info
    if _info is None:
        _info = {}
        for path in ('/etc/os-release', '/usr/lib/os-release'):
            try:
                with open(path, encoding='utf-8', errors='replace') as source:
                    lines = source.read().splitlines()
            except OSError:
                continue
            import shlex
            for line in lines:
                key, equals, value = line.strip().partition('=')
                if equals and not key.startswith('#'):
                    try:
                        _info[key.lower()] = ''.join(shlex.split(value)[:1])
                    except ValueError:
                        _info[key.lower()] = value.strip('"\'')
            break
    return _info


def os_release_attr(attribute):
    """Gives one value of os-release, empty when there is none."""
    return os_release_info().get(attribute, '')


def id():
    """Gives the distribution's short name, such as `debian`."""
    name = os_release_attr('id').lower().replace(' ', '_')
    return _IDS.get(name, name)


def name(pretty=False):
    """Gives the distribution's name, with `pretty` also its version."""
    if pretty:
        return os_release_attr('pretty_name') or ('%s %s' % (name(), version(pretty=True))).strip()
    return os_release_attr('name')


def version(pretty=False, best=False):
    """Gives the version; with `best` the most exact one that can be had."""
    found = os_release_attr('version_id')
    if best:
        for path in {'debian': ['/etc/debian_version'], 'centos': ['/etc/centos-release']}.get(id(), []):
            try:
                with open(path) as source:
                    exact = re.search(r'\d[\d.]*', source.read())
            except OSError:
                continue
            if exact and len(exact.group()) > len(found):
                found = exact.group()
    if pretty and found and codename():
        return '%s (%s)' % (found, codename())
    return found


def version_parts(best=False):
    """Gives the version's first three numbers as text."""
    parts = (version(best=best).split('.') + ['', '', ''])[:3]
    return tuple(parts)


def major_version(best=False):
    """Gives the version's first number."""
    return version_parts(best)[0]


def minor_version(best=False):
    """Gives the version's second number."""
    return version_parts(best)[1]


def build_number(best=False):
    """Gives the version's third number."""
    return version_parts(best)[2]


def like():
    """Gives the distributions that this one is like."""
    return os_release_attr('id_like')


def codename():
    """Gives the release's name."""
    info = os_release_info()
    if 'version_codename' in info:
        return info['version_codename']
    if 'ubuntu_codename' in info:
        return info['ubuntu_codename']
    found = re.search(r'\(([^()]+)\)|,\s*(\w[\w ]*)', info.get('version', ''))
    return (found.group(1) or found.group(2)).strip() if found else ''


def info(pretty=False, best=False):
    """Gives all of it as a dictionary."""
    major, minor, build = version_parts(best)
    return dict(id=id(), version=version(pretty, best), like=like(), codename=codename(),
                version_parts=dict(major=major, minor=minor, build_number=build))


def linux_distribution(full_distribution_name=True):
    """Gives name, version and codename."""
    return name() if full_distribution_name else id(), version(), codename()
