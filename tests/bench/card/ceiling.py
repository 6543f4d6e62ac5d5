"""The best possible client: prepared requests, sent from memory; it does not parse answers.

    python tests/bench/card/ceiling.py PORT FOLDER IN_FLIGHT

It runs until it is ended, or until a request is refused.
"""

import asyncio
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
LARGEST_PART = 1 << 24


async def keep_asking(port: int, bodies: Iterator[bytes]) -> None:
    """Send one request after the other over one connection. Raises RuntimeError for a refusal."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LARGEST_PART)
    try:
        for body in bodies:
            writer.write(HEAD % len(body))
            writer.write(body)
            await writer.drain()
            await hear(reader)
    finally:
        writer.close()


async def hear(reader: asyncio.StreamReader) -> None:
    """Read a chunked answer to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    if head.split(b" ", 2)[1] != b"200":
        raise RuntimeError(f"{head.decode()}{(await reader.read(2000)).decode()}")
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()


async def flood(port: int, bodies: list[bytes], in_flight: int) -> None:
    """Open so many connections; each sends the next of the bodies, again and again."""
    endless = itertools.cycle(bodies)
    await asyncio.gather(*(keep_asking(port, endless) for _ in range(in_flight)))


def main() -> None:
    port, folder, in_flight = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    bodies = [path.read_bytes() for path in sorted(folder.iterdir())]
    asyncio.run(flood(port, bodies, in_flight))


if __name__ == "__main__":
    main()
