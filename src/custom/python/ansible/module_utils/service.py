"""What modules for services share."""
import glob
import os
import re
import shlex
import subprocess

from ansible.module_utils._run_command import _communicate
from ansible.module_utils.common.text.converters import to_text


def get_sysv_script(name):
    """Gives the path of an init script."""
    return name if name.startswith('/') else '/etc/init.d/%s' % name


def sysv_exists(name):
    """Says whether there is an init script."""
    return os.path.exists(get_sysv_script(name))


def sysv_is_enabled(name, runlevel=None):
    """Says whether an init script is started, in any run level or in this one."""
    place = '/etc/rc%s.d/S??%s' % ('?' if runlevel is None else runlevel, name)
    return bool(glob.glob(place))


def get_ps(module, pattern):
    """Says whether a process has this text in its line of ps."""
    rc, out, _err = module.run_command('ps auxww')
    return rc == 0 and any(pattern in line for line in out.splitlines())


check_ps = get_ps


def fail_if_missing(module, found, service, msg=''):
    """Fails when a service was not found."""
    if not found:
        module.fail_json(msg='Could not find the requested service %s: %s' % (service, msg))


def daemonize(module, cmd):
    """Runs a command in a session of its own; gives its exit code, output and errors."""
    args = shlex.split(to_text(cmd)) if isinstance(cmd, (str, bytes)) else [to_text(c) for c in cmd]
    process = subprocess.Popen(args, start_new_session=True, cwd='/', stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err, _prompted = _communicate(process, b'', None)
    return [process.returncode, to_text(out), to_text(err)]


def is_systemd_managed(module):
    """Says whether systemd runs this machine."""
    if not module.get_bin_path('systemctl'):
        return False
    if any(os.path.exists(p) for p in ('/run/systemd/system/', '/dev/.run/systemd/', '/dev/.systemd/')):
        return True
    try:
        with open('/proc/1/comm') as source:
            return bool(re.search('systemd', source.read()))
    except OSError:
        return False
