"""AnsibleModule.run_command."""
import os
import re
import select
import shlex
import subprocess

from ansible.module_utils.basic import PASSWD_ARG_RE, heuristic_log_sanitize
from ansible.module_utils.common.text.converters import to_bytes, to_native, to_text


def _clean_args(module, args):
    """Gives the command for people, with passwords covered."""
    words, hide_next = [], False
    for arg in shlex.split(to_native(args)) if isinstance(args, (str, bytes)) else args:
        arg = to_native(arg)
        if hide_next:
            words.append(8 * '*')
            hide_next = False
        elif PASSWD_ARG_RE.match(arg):
            name, equals, _value = arg.partition('=')
            words.append(name + '=' + 8 * '*' if equals else arg)
            hide_next = not equals
        else:
            words.append(heuristic_log_sanitize(arg, module.no_log_values))
    return ' '.join(shlex.quote(word) for word in words)


def run_command(module, args, check_rc=False, close_fds=True, executable=None, data=None, binary_data=False,
                path_prefix=None, cwd=None, use_unsafe_shell=False, prompt_regex=None, environ_update=None, umask=None,
                encoding='utf-8', errors='surrogate_or_strict', expand_user_and_vars=True, pass_fds=None,
                before_communicate_callback=None, ignore_invalid_cwd=True, handle_exceptions=True):
    """Runs a program, or with `use_unsafe_shell` a shell line, and gives its exit code, output and errors."""
    module._clean = None
    if not isinstance(args, (list, str, bytes)):
        module.fail_json(rc=257, cmd=args, msg="Argument 'args' to run_command must be list or string")

    shell = False
    if use_unsafe_shell:
        if isinstance(args, list):
            args = ' '.join(shlex.quote(to_text(a)) for a in args)
        args = to_bytes(args, errors='surrogate_or_strict')
        if executable is None:
            executable = module._shell
        if executable:
            args = [to_bytes(executable, errors='surrogate_or_strict'), b'-c', args]
        else:
            shell = True
        executable = None
    else:
        if not isinstance(args, list):
            try:
                args = shlex.split(to_text(args, errors='surrogateescape'))
            except ValueError as exc:
                module.fail_json(msg='Invalid command syntax in run_command', exception=exc)
        if expand_user_and_vars:
            args = [os.path.expanduser(os.path.expandvars(a)) if isinstance(a, (str, bytes)) else a for a in args]
        args = [to_bytes(a, errors='surrogate_or_strict') for a in args if a is not None]

    prompt = None
    if prompt_regex:
        try:
            prompt = re.compile(to_bytes(prompt_regex), re.MULTILINE)
        except re.error:
            module.fail_json(msg='invalid prompt regular expression given to run_command')

    env = os.environ.copy()
    env.update(module.run_command_environ_update or {})
    env.update(environ_update or {})
    env = {to_native(k): to_native(v) for k, v in env.items()}
    if path_prefix:
        env['PATH'] = '%s:%s' % (path_prefix, env['PATH']) if env.get('PATH') else path_prefix

    kwargs = dict(
        executable=executable, shell=shell, close_fds=close_fds, env=env,
        # A program that reads must not eat what is meant for this one, or wait for it.
        stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    if pass_fds:
        kwargs['pass_fds'] = pass_fds
    if cwd:
        directory = os.path.abspath(os.path.expanduser(to_native(cwd, errors='surrogate_or_strict')))
        if os.path.isdir(directory):
            kwargs['cwd'] = directory
        elif not ignore_invalid_cwd:
            module.fail_json(msg='Provided cwd is not a valid directory: %r' % to_bytes(directory))

    shown = args[2] if use_unsafe_shell and not shell else args
    old_umask = os.umask(umask) if umask else None
    try:
        if module._debug:
            module.log('Executing: ' + _shown(module, shown))
        process = subprocess.Popen(args, **kwargs)
        if before_communicate_callback:
            before_communicate_callback(process)
        if data is not None and not binary_data:
            data = to_bytes(data) + b'\n'
        out, err, prompted = _communicate(process, to_bytes(data) if data is not None else b'', prompt)
    except OSError as exc:
        if not handle_exceptions:
            raise
        module.log('Error Executing CMD:%s Exception:%s' % (_shown(module, shown), to_native(exc)))
        module.fail_json(rc=exc.errno, stdout='', stderr='', msg='Error executing command.', exception=exc,
                         cmd=_shown(module, shown))
    except Exception as exc:
        if not handle_exceptions:
            raise
        module.log('Error Executing CMD:%s Exception:%s' % (_shown(module, shown), to_native(exc)))
        module.fail_json(rc=257, stdout='', stderr='', msg='Error executing command.', exception=exc,
                         cmd=_shown(module, shown))
    finally:
        if old_umask is not None:
            os.umask(old_umask)

    if prompted:
        rc, err = 257, b'A prompt was encountered while running a command, but no input data was specified'
        if encoding is not None:
            return rc, to_native(out, encoding=encoding, errors=errors), to_native(err)
        return rc, out, err
    rc = process.returncode
    if rc and check_rc:
        message = heuristic_log_sanitize(to_native(err, errors='replace').rstrip(), module.no_log_values)
        module.fail_json(cmd=_shown(module, shown), rc=rc, stdout=to_native(out, errors='surrogateescape'),
                         stderr=to_native(err, errors='surrogateescape'), msg=message)
    if encoding is not None:
        return rc, to_native(out, encoding=encoding, errors=errors), to_native(err, encoding=encoding, errors=errors)
    return rc, out, err


def _shown(module, args):
    try:
        return _clean_args(module, args)
    except ValueError:  # quotes that do not match
        return heuristic_log_sanitize(args, module.no_log_values)


def _communicate(process, data, prompt):
    """Feeds and reads the program until it has ended and its output is silent.

    A daemon that it leaves behind may hold the pipes open, so their end is not waited for.
    """
    texts = {process.stdout: bytearray(), process.stderr: bytearray()}
    for pipe in texts:
        os.set_blocking(pipe.fileno(), False)
    writers = []
    if process.stdin:
        os.set_blocking(process.stdin.fileno(), False)
        writers = [process.stdin]
    readers = list(texts)
    prompted = False
    while readers:
        ready, writable, _ = _select(readers, writers)
        for pipe in writable:
            try:
                sent = os.write(pipe.fileno(), data[:65536])
                data = data[sent:]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                data = b''
            if not data:
                pipe.close()
                writers = []
        for pipe in ready:
            try:
                chunk = os.read(pipe.fileno(), 65536)
            except BlockingIOError:
                continue
            texts[pipe] += chunk
            if not chunk:
                readers.remove(pipe)
        if prompt and process.stdin is None and process.poll() is None and prompt.search(texts[process.stdout]):
            prompted = True
            break
        if not ready and process.poll() is not None:
            break
    if writers:
        process.stdin.close()
    for pipe in texts:
        pipe.close()
    if prompted:
        process.kill()
    process.wait()
    return bytes(texts[process.stdout]), bytes(texts[process.stderr]), prompted


def _select(readers, writers):
    """Waits at most a second for pipes that are ready; file numbers above 1023 are no obstacle."""
    if hasattr(select, 'poll'):
        poll = select.poll()
        for pipe in readers:
            poll.register(pipe.fileno(), select.POLLIN | select.POLLHUP)
        for pipe in writers:
            poll.register(pipe.fileno(), select.POLLOUT)
        ready = {fd for fd, _event in poll.poll(1000)}
        return [p for p in readers if p.fileno() in ready], [p for p in writers if p.fileno() in ready], []
    return select.select(readers, writers, [], 1)
