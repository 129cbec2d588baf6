"""The connections that modules for network devices share, which fanfare does not have.

The names are here so that modules which use them only at times can be imported.
"""


class ConnectionError(Exception):
    """A connection cannot be used."""

    def __init__(self, message, *args, **kwargs):
        super(ConnectionError, self).__init__(message)
        for name, value in kwargs.items():
            setattr(self, name, value)


class Connection(object):
    """A connection that the controller keeps; there is none."""

    def __init__(self, socket_path):
        if socket_path is None:
            raise AssertionError('socket_path must be a value')
        raise ConnectionError('fanfare keeps no connections to network devices for modules: %s' % socket_path)


def exec_command(module, command):
    """Runs a command on a network device, which is not to be had; gives an exit code, output and errors."""
    try:
        Connection(module._socket_path)
    except (AssertionError, ConnectionError) as err:
        return 1, '', str(err)
