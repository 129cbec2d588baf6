#!/usr/bin/python3
"""listener.py PORT silent|close|garbage|banner|drip|backlog: accepts connections by TCP, and misbehaves."""

import socket
import sys
import threading
import time


def treat(connection, mode):
    try:
        if mode == "close":
            connection.close()
            return
        if mode == "garbage":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            connection.close()
            return
        if mode == "banner":
            connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        if mode == "drip":
            for line in range(3600):
                connection.sendall(b"%x\r\n" % line)
                time.sleep(1)
        while connection.recv(4096):
            pass
    except OSError:
        pass


port, mode = int(sys.argv[1]), sys.argv[2]
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("", port))
server.listen(0 if mode == "backlog" else 64)
if mode == "backlog":
    # Nobody ever accepts: its queue is full.
    held = socket.create_connection(("127.0.0.1", port), 1)
    time.sleep(3600)
while True:
    connection, _ = server.accept()
    threading.Thread(target=treat, args=(connection, mode), daemon=True).start()
