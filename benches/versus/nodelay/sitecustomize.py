"""On PYTHONPATH: paramiko with TCP_NODELAY, to show what its absence costs pyinfra on loopback."""
import socket

try:
    import paramiko.transport
except ImportError:
    pass
else:
    begin = paramiko.transport.Transport.__init__

    def begin_without_delay(self, *args, **kwargs):
        begin(self, *args, **kwargs)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    paramiko.transport.Transport.__init__ = begin_without_delay
