"""AnsibleModule: the frame in which a custom module reads its arguments, works, and reports its result.

Only what every module needs is imported here; the rest is loaded when it is first used.
"""
import atexit
import json
import os
import re
import sys
import time
from collections.abc import KeysView, Mapping, MutableMapping, Sequence  # noqa: F401

from ansible.module_utils.common import warnings as _warnings
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator
from ansible.module_utils.common.parameters import (  # noqa: F401
    DEFAULT_TYPE_VALIDATORS, env_fallback, remove_values, sanitize_keys,
)
from ansible.module_utils.common.text.converters import (  # noqa: F401
    container_to_bytes as json_dict_unicode_to_bytes, container_to_text as json_dict_bytes_to_unicode, jsonify,
    to_bytes, to_native, to_text,
)
from ansible.module_utils.common.validation import check_missing_parameters
from ansible.module_utils.common.warnings import (  # noqa: F401
    deprecate, error_as_warning, get_deprecations, get_warnings, warn,
)
from ansible.module_utils.errors import AnsibleFallbackNotFound, UnsupportedError  # noqa: F401
from ansible.module_utils.parsing.convert_bool import BOOLEANS, BOOLEANS_FALSE, BOOLEANS_TRUE, boolean  # noqa: F401

PASSWORD_MATCH = re.compile(r'^(?:.*[-_\s])?pass(?:word|phrase|wrd|wd)?(?:[-_\s].*)?$', re.IGNORECASE)
PASSWD_ARG_RE = re.compile(r'-{0,2}pass(?:-?(?:word|wd))?')
SEQUENCETYPE = (frozenset, KeysView, Sequence)
NUMBERTYPES = (int, float)
imap = map
NoneType = type(None)
PY2, PY3 = False, True
string_types, integer_types, text_type, binary_type = (str,), (int,), str, bytes
basestring = unicode = str
PERM_BITS = 0o7777
DEFAULT_PERM = 0o666
HAS_SYSLOG = True
HAVE_SELINUX = False
has_journal = False

FILE_COMMON_ARGUMENTS = dict(
    mode=dict(type='raw'), owner=dict(type='str'), group=dict(type='str'), seuser=dict(type='str'),
    serole=dict(type='str'), selevel=dict(type='str'), setype=dict(type='str'),
    attributes=dict(type='str', aliases=['attr']),
    unsafe_writes=dict(type='bool', default=False, fallback=(env_fallback, ['ANSIBLE_UNSAFE_WRITES'])),
)

_ANSIBLE_ARGS = None
_ANSIBLE_PROFILE = None
# Whoever starts a module may put a function here that runs it again under another Python; see common.respawn.
_RESPAWN = None

# What arrives as `_ansible_NAME`: the attribute that gets it, and its value when it does not arrive.
PASS_VARS = {
    'check_mode': ('check_mode', False), 'debug': ('_debug', False), 'diff': ('_diff', False),
    'keep_remote_files': ('_keep_remote_files', False), 'ignore_unknown_opts': ('_ignore_unknown_opts', False),
    'inject_invocation': ('_inject_invocation', False), 'module_name': ('_name', 'basic.py'),
    'no_log': ('no_log', False), 'remote_tmp': ('_remote_tmp', None),
    'selinux_special_fs': ('_selinux_special_fs', ['fuse', 'nfs', 'vboxsf', 'ramfs', '9p', 'vfat']),
    'shell_executable': ('_shell', '/bin/sh'), 'socket': ('_socket_path', None),
    'syslog_facility': ('_syslog_facility', 'INFO'), 'tmpdir': ('_tmpdir', None),
    'target_log_info': ('_target_log_info', None), 'tracebacks_for': ('_tracebacks_for', frozenset()),
    'verbosity': ('_verbosity', 0), 'version': ('ansible_version', '0.0'),
}
PASS_BOOLS = ('check_mode', 'debug', 'diff', 'keep_remote_files', 'ignore_unknown_opts', 'no_log', 'inject_invocation')

_MODULES = ('copy datetime errno fcntl grp hashlib itertools locale platform pwd select selectors shlex shutil stat '
            'subprocess syslog tempfile traceback types glob').split()
_FILE_NAMES = ('FILE_ATTRIBUTES S_IXANY S_IRWU_RWG_RWO USERS_RE PERMS_RE MODE_OPERATOR_RE format_attributes '
               'get_flags_from_attributes is_executable').split()
_SYSTEM_NAMES = 'get_distribution get_distribution_version get_platform_subclass get_all_subclasses'.split()
_SIZE_NAMES = 'SIZE_RANGES bytes_to_human human_to_bytes lenient_lowercase'.split()
_LAZY = _MODULES + _FILE_NAMES + _SYSTEM_NAMES + _SIZE_NAMES + [
    'AVAILABLE_HASH_ALGORITHMS', 'get_best_parsable_locale', 'reduce']


def __getattr__(name):
    """Loads the names that modules import from here and this file itself does not need."""
    if name in _MODULES:
        value = __import__(name)
    elif name in _FILE_NAMES:
        from ansible.module_utils.common import file
        value = getattr(file, name)
    elif name in _SYSTEM_NAMES:
        from ansible.module_utils.common import sys_info
        value = getattr(sys_info, name)
    elif name in _SIZE_NAMES:
        from ansible.module_utils.common.text import formatters
        value = getattr(formatters, name)
    elif name == 'get_best_parsable_locale':
        from ansible.module_utils.common.locale import get_best_parsable_locale as value
    elif name == 'AVAILABLE_HASH_ALGORITHMS':
        from ansible.module_utils._file_contents import available_hash_algorithms
        value = available_hash_algorithms()
    elif name == 'reduce':
        from functools import reduce as value
    else:
        raise AttributeError('module %r has no attribute %r' % (__name__, name))
    globals()[name] = value
    return value


def get_exception():
    """Gives the exception that is being handled."""
    return sys.exc_info()[1]


def get_platform():
    """Gives the name of the system, such as `Linux`."""
    import platform
    return platform.system()


def load_platform_subclass(cls, *args, **kwargs):
    """Makes an instance of the subclass that is for this platform."""
    from ansible.module_utils.common.sys_info import get_platform_subclass
    return super(cls, cls).__new__(get_platform_subclass(cls))


def get_bin_path(arg, opt_dirs=None, required=None):
    """Gives the path of a program; ValueError when there is none."""
    from ansible.module_utils.common.process import get_bin_path as find
    return find(arg, opt_dirs)


def get_module_path():
    """Gives the directory of this file."""
    return os.path.dirname(os.path.realpath(globals().get('__file__') or '.'))


def missing_required_lib(library, reason=None, url=None):
    """Gives the text for a Python library that cannot be imported."""
    import platform
    text = "Failed to import the required Python library (%s) on %s's Python %s." % (
        library, platform.node(), sys.executable)
    if reason:
        text += ' This is required %s.' % reason
    if url:
        text += ' See %s for more info.' % url
    return text + (' Please read the module documentation and install it in the appropriate location. If the required '
                   'library is installed, but Ansible is using the wrong Python interpreter, please consult the '
                   'documentation on ansible_python_interpreter')


def heuristic_log_sanitize(data, no_log_values=None):
    """Covers what looks like a password in `user:password@host`, and the values that must not be shown."""
    text = to_native(data)
    pieces, end = [], len(text)
    at = text.rfind('@')
    while at >= 0:
        # The name begins at the address that is nearest to the left and has a colon after its `://`, else at the front.
        begin = text.rfind('://', 0, at)
        colon = text.find(':', max(begin, 0) + 3, at)
        while colon < 0 and begin >= 0:
            begin = text.rfind('://', 0, begin)
            colon = text.find(':', max(begin, 0) + 3, at)
        if colon < 0:
            break
        begin = max(begin, 0)
        pieces += [text[at:end], 8 * '*', text[begin:colon + 1]]
        end = begin
        at = text.rfind('@', 0, end)
    text = ''.join([text[:end]] + pieces[::-1])
    return remove_values(text, no_log_values) if no_log_values else text


def _load_params():
    """Reads the module's arguments: those that the caller left here, or a file, or standard input."""
    global _ANSIBLE_ARGS
    if _ANSIBLE_ARGS is None:
        if len(sys.argv) > 1:
            if os.path.isfile(sys.argv[1]):
                with open(sys.argv[1], 'rb') as source:
                    _ANSIBLE_ARGS = source.read()
            else:
                _ANSIBLE_ARGS = sys.argv[1].encode('utf-8', 'surrogateescape')
        else:
            _ANSIBLE_ARGS = sys.stdin.buffer.read()
    try:
        params = json.loads(to_text(_ANSIBLE_ARGS))
    except ValueError:
        _refuse('Error: Module unable to decode stdin/parameters as valid JSON. '
                'Unable to parse what parameters were passed')
    try:
        return params['ANSIBLE_MODULE_ARGS']
    except (KeyError, TypeError):
        _refuse('Error: Module unable to locate ANSIBLE_MODULE_ARGS in JSON data from stdin.  '
                'Unable to figure out what parameters were passed')


def _refuse(msg):
    print('\n' + json.dumps({'msg': msg, 'failed': True}))
    sys.exit(1)


_UNSET = object()


class AnsibleModule(object):
    """A custom module's arguments, ways to work on the machine, and ways to report."""

    def __init__(self, argument_spec, bypass_checks=False, no_log=False, mutually_exclusive=None,
                 required_together=None, required_one_of=None, add_file_common_args=False, supports_check_mode=False,
                 required_if=None, required_by=None):
        for attribute, default in PASS_VARS.values():
            setattr(self, attribute, default)
        self.argument_spec = argument_spec
        self.supports_check_mode = supports_check_mode
        self.bypass_checks = bypass_checks
        self.mutually_exclusive = mutually_exclusive
        self.required_together = required_together
        self.required_one_of = required_one_of
        self.required_if = required_if
        self.required_by = required_by
        self.cleanup_files = []
        self.aliases = {}
        self.run_command_environ_update = {}
        self.no_log_values = set()
        self._options_context = []
        self._clean = {}
        self._CHECK_ARGUMENT_TYPES_DISPATCHER = DEFAULT_TYPE_VALIDATORS
        self._selinux_enabled = self._selinux_mls_enabled = self._selinux_initial_context = None
        if add_file_common_args:
            for name, spec in FILE_COMMON_ARGUMENTS.items():
                self.argument_spec.setdefault(name, spec)

        self._check_locale()
        self._load_params()
        self._set_internal_properties()
        self.no_log = self.no_log or no_log
        self.validator = ModuleArgumentSpecValidator(
            self.argument_spec, self.mutually_exclusive, self.required_together, self.required_one_of,
            self.required_if, self.required_by)
        self.validation_result = result = self.validator.validate(self.params)
        self.params.update(result.validated_parameters)
        self.no_log_values.update(result._no_log_values)
        self.aliases.update(result._aliases)
        self._legal_inputs = list(self.argument_spec) + list(self.aliases)
        self._check_validity(result.errors)
        if self.check_mode and not self.supports_check_mode:
            self.exit_json(skipped=True, msg='remote module (%s) does not support check mode' % self._name)
        self._set_cwd()
        if not self.no_log:
            self._log_invocation()

    def _check_validity(self, errors):
        if not errors.errors:
            return
        error = errors.errors[0]
        msg = error.msg
        if isinstance(error, UnsupportedError):
            if self._ignore_unknown_opts:
                return
            msg = 'Unsupported parameters for (%s) module: %s' % (self._name, msg)
        self.fail_json(msg=msg)

    def _check_locale(self):
        """Takes the locale from the environment, or one that exists."""
        import locale
        try:
            locale.setlocale(locale.LC_ALL, '')
        except locale.Error:
            from ansible.module_utils.common.locale import get_best_parsable_locale
            best = get_best_parsable_locale(self)
            locale.setlocale(locale.LC_ALL, best)
            for name in ('LANG', 'LC_ALL', 'LC_MESSAGES'):
                os.environ[name] = best

    def _load_params(self):
        self.params = _load_params()

    def _set_internal_properties(self, argument_spec=None, module_parameters=None):
        """Takes the values that are meant for the frame out of the arguments."""
        params = self.params if module_parameters is None else module_parameters
        for name, (attribute, default) in PASS_VARS.items():
            value = params.pop('_ansible_' + name, None)
            if value is None:
                value = default
            setattr(self, attribute, self.boolean(value) if name in PASS_BOOLS else value)
        for name in [n for n in params if n.startswith('_ansible_')]:
            del params[name]

    def _set_cwd(self):
        """Leaves a current directory that cannot be read."""
        for path in (None, self._tmpdir, os.path.expandvars('$HOME'), '/tmp'):
            try:
                cwd = path or os.getcwd()
                if os.access(cwd, os.F_OK | os.R_OK):
                    if path:
                        os.chdir(cwd)
                    return
            except OSError:
                pass

    def _log_invocation(self):
        log_args = {}
        for name, value in self.params.items():
            spec = self.argument_spec.get(self.aliases.get(name, name), {})
            hidden = spec.get('no_log')
            if hidden is None and PASSWORD_MATCH.match(name):
                self.warn('Module did not set no_log for %s' % name)
                log_args[name] = 'NOT_LOGGING_PASSWORD'
            elif hidden:
                log_args[name] = 'NOT_LOGGING_PARAMETER'
            else:
                log_args[name] = heuristic_log_sanitize(value if isinstance(value, (str, bytes)) else str(value),
                                                        self.no_log_values)
        text = ' '.join('%s=%s' % item for item in log_args.items())
        self.log('Invoked with ' + text if text else 'Invoked', log_args=log_args)

    @property
    def tmpdir(self):
        """The directory for temporary files of this run; made when it is first asked for."""
        if self._tmpdir is None:
            import shutil
            import tempfile
            base = os.path.expanduser(os.path.expandvars(self._remote_tmp)) if self._remote_tmp else None
            if base is not None and not os.path.exists(base):
                try:
                    os.makedirs(base, mode=0o700)
                    self.warn('Module remote_tmp %s did not exist and was created with a mode of 0700, this may cause '
                              'issues when running as another user. To avoid this, create the remote_tmp dir with the '
                              'correct permissions manually' % base)
                except OSError as err:
                    self.warn('Unable to use %s as temporary directory, failing back to system: %s'
                              % (base, to_native(err)))
                    base = None
            try:
                path = tempfile.mkdtemp(prefix='ansible-moduletmp-%s-' % time.time(), dir=base)
            except OSError as err:
                self.fail_json(msg='Failed to create remote module tmp path at dir %s with prefix ansible-moduletmp: %s'
                               % (base, to_native(err)))
            if not self._keep_remote_files:
                atexit.register(shutil.rmtree, path, True)
            self._tmpdir = path
        return self._tmpdir

    # Reports.

    def warn(self, warning, help_text=None):
        """Adds a warning to the result."""
        _warnings.warn(warning, help_text=help_text)

    def error_as_warning(self, msg, exception, help_text=None):
        """Adds an exception to the result as a warning."""
        _warnings.error_as_warning(msg, exception, help_text=help_text)

    def deprecate(self, msg, version=None, date=None, collection_name=None, deprecator=None, help_text=None):
        """Adds a deprecation to the result."""
        _warnings.deprecate(msg, version=version, date=date, collection_name=collection_name, help_text=help_text)

    def debug(self, msg):
        """Logs a message when modules are to be debugged."""
        if self._debug:
            self.log('[debug] %s' % msg)

    def log(self, msg, log_args=None):
        """Sends a message to the system's log; what must not be shown is covered."""
        if self.no_log:
            return
        if not isinstance(msg, (str, bytes)):
            raise TypeError('msg should be a string (got %s)' % type(msg))
        text = remove_values(to_text(msg, errors='replace'), self.no_log_values)
        if self._target_log_info:
            text = ' '.join((self._target_log_info, text))
        self._log_to_syslog(text)

    def _log_to_syslog(self, msg):
        import syslog
        facility = getattr(syslog, self._syslog_facility, syslog.LOG_USER)
        try:
            syslog.openlog('ansible-%s' % os.path.basename(self._name), 0, facility)
            # A NUL or a lone surrogate cannot be sent.
            syslog.syslog(syslog.LOG_INFO, to_bytes(msg).decode('utf-8', 'replace').replace('\0', '\\0'))
        except (TypeError, ValueError) as err:
            self.fail_json(msg='Failed to log to syslog (%s). To proceed anyway, disable syslog logging by setting '
                               'no_target_syslog to True in your Ansible config.' % to_native(err), msg_to_log=msg)

    def exit_json(self, **kwargs):
        """Reports success with these values and ends."""
        self.do_cleanup_files()
        self._return_formatted(kwargs)
        sys.exit(0)

    def fail_json(self, msg, exception=_UNSET, **kwargs):
        """Reports failure with a message and these values and ends."""
        kwargs['failed'] = True
        kwargs['msg'] = msg if isinstance(msg, str) else str(msg)
        if isinstance(exception, str):
            kwargs['exception'] = exception
        elif isinstance(exception, BaseException):
            import traceback
            kwargs['exception'] = ''.join(
                traceback.format_exception(type(exception), exception, exception.__traceback__))
        self.do_cleanup_files()
        self._return_formatted(kwargs)
        sys.exit(1)

    def fail_on_missing_params(self, required_params=None):
        """Fails unless these arguments have a value."""
        try:
            check_missing_parameters(self.params, required_params)
        except TypeError as err:
            self.fail_json(msg=to_native(err))

    def _return_formatted(self, kwargs):
        if kwargs.get('path', kwargs.get('dest')) is not None:
            self.add_path_info(kwargs)
        if self._inject_invocation:
            kwargs['invocation'] = {'module_args': self.params}
        else:
            kwargs.pop('invocation', None)
        self._take_reports(kwargs)
        result = remove_values(kwargs, self.no_log_values)
        print('\n%s' % self.jsonify(result))

    def _take_reports(self, kwargs):
        """Joins the warnings and deprecations so far with those that the module puts into its result."""
        for key in ('warnings', 'deprecations'):
            given = kwargs.pop(key, None) or []
            for item in given if isinstance(given, (list, tuple)) else [given]:
                if key == 'warnings':
                    self.warn(item)
                elif isinstance(item, Mapping):
                    self.deprecate(item['msg'], item.get('version'), item.get('date'), item.get('collection_name'))
                elif isinstance(item, (list, tuple)) and len(item) == 2:
                    self.deprecate(item[0], item[1])
                else:
                    self.deprecate(item)
        for key, reports in (('warnings', _warnings.get_warning_messages()),
                             ('deprecations', _warnings.get_deprecation_messages())):
            if reports:
                kwargs[key] = list(reports)

    def jsonify(self, data):
        """Gives `data` as JSON text."""
        try:
            return jsonify(data)
        except UnicodeError as err:
            self.fail_json(msg=to_text(err))

    def from_json(self, data):
        """Reads JSON text."""
        return json.loads(data)

    def boolean(self, arg):
        """Gives the truth that a word stands for."""
        if arg is None:
            return arg
        try:
            return boolean(arg)
        except TypeError as err:
            self.fail_json(msg=to_native(err))

    # Programs and temporary files.

    def get_bin_path(self, arg, required=False, opt_dirs=None):
        """Gives the path of a program, or None, or fails when it is required."""
        try:
            return get_bin_path(arg, opt_dirs)
        except ValueError as err:
            if required:
                self.fail_json(msg=to_text(err))
            return None

    def add_cleanup_file(self, path):
        """Has a file removed at the end."""
        if path not in self.cleanup_files:
            self.cleanup_files.append(path)

    def do_cleanup_files(self):
        """Removes the files that are to go at the end."""
        for path in self.cleanup_files:
            self.cleanup(path)

    def cleanup(self, tmpfile):
        """Removes a file and says on standard error when that fails."""
        if os.path.exists(tmpfile):
            try:
                os.unlink(tmpfile)
            except OSError as err:
                sys.stderr.write('could not cleanup %s: %s' % (tmpfile, to_native(err)))

    @staticmethod
    def is_executable(path):
        """Says whether anybody may execute the file."""
        from ansible.module_utils.common.file import is_executable
        return is_executable(path)

    @staticmethod
    def human_to_bytes(number, isbits=False):
        """Reads a size such as `10M`."""
        from ansible.module_utils.common.text.formatters import human_to_bytes
        return human_to_bytes(number, isbits=isbits)

    @staticmethod
    def bytes_to_human(size):
        """Writes a size with its unit."""
        from ansible.module_utils.common.text.formatters import bytes_to_human
        return bytes_to_human(size)

    pretty_bytes = bytes_to_human

    @staticmethod
    def get_buffer_size(fd):
        """Gives the block size of the file system that an open file is on, at most 9000."""
        try:
            return min(os.fstat(fd).st_blksize, 9000)
        except OSError:
            return 9000


def _run_command():
    from ansible.module_utils import _run_command
    return _run_command


def _file_contents():
    from ansible.module_utils import _file_contents
    return _file_contents


def _file_attributes():
    from ansible.module_utils import _file_attributes
    return _file_attributes


def _selinux():
    from ansible.module_utils import _selinux
    return _selinux


def _add_methods(load, names):
    """Adds methods whose file is loaded when one of them is called."""
    def method(name):
        def call(self, *args, **kwargs):
            return getattr(load(), name)(self, *args, **kwargs)
        call.__name__ = name
        return call
    for name in names.split():
        setattr(AnsibleModule, name, method(name))


_add_methods(_run_command, 'run_command _clean_args')
_add_methods(_file_contents, 'append_to_file atomic_move backup_local digest_from_file md5 preserved_copy sha1 sha256 '
                             '_unsafe_writes')
_add_methods(_file_attributes, 'add_path_info check_file_absent_if_check_mode find_mount_point get_file_attributes '
             'load_file_common_arguments set_attributes_if_different set_directory_attributes_if_different '
             'set_file_attributes_if_different set_fs_attributes_if_different set_group_if_different '
             'set_mode_if_different set_owner_if_different user_and_group')
_add_methods(_selinux, 'is_special_selinux_path selinux_context selinux_default_context selinux_enabled '
             'selinux_initial_context selinux_mls_enabled set_context_if_different set_default_selinux_context')

if sys.version_info < (3, 7):
    # It knows no __getattr__ of modules, only of their class.
    class _Lazy(type(sys)):
        def __getattr__(self, name):
            return globals()['__getattr__'](name)
    sys.modules[__name__].__class__ = _Lazy

__all__ = sorted({n for n in globals() if not n.startswith('_')}.union(_LAZY))
