#!/usr/bin/env python3
"""relay.py ADDRESS:PORT RTT_MS: a wire with a delay, on the port it prints, that counts round trips.

Every piece of payload is passed on half the RTT later. A line on stdin is answered with the counts so far:
bytes to the host, bytes from it, turns. A turn is payload that goes the other way than the last did, so
half of them are the round trips, however busy the machine is. What it does not model: a window that fills,
lost packets, and a wait for a bare acknowledgement (Nagle's), which never crosses this wire.
"""
import asyncio
import socket
import sys

counts = [0, 0, 0]
last = None


async def pump(reader, writer, way, delay):
    """Reads at once and writes each piece when it is due."""
    global last
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue()

    async def deliver():
        while True:
            due, data = await pieces.get()
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    sender = asyncio.create_task(deliver())
    try:
        while data := await reader.read(1 << 16):
            counts[way] += len(data)
            if last != way:
                counts[2] += 1
            last = way
            pieces.put_nowait((loop.time() + delay, data))
    except ConnectionError:
        pass
    pieces.put_nowait((loop.time() + delay, b""))
    await asyncio.gather(sender, return_exceptions=True)


async def main():
    host, port = sys.argv[1].rsplit(":", 1)
    delay = float(sys.argv[2]) / 2000

    async def accepted(reader, writer):
        try:
            up_reader, up_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            return
        for w in (writer, up_writer):
            w.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(pump(reader, up_writer, 0, delay), pump(up_reader, writer, 1, delay))

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(*counts, flush=True)


asyncio.run(main())
