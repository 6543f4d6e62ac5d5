"""A network of the rig's own: a bridge with a free 10.x.y.0/24, and cables that can be cut."""

from __future__ import annotations

import ipaddress
import json
import random
import subprocess
from itertools import count

from rig.cloud.leftovers import Leftovers
from rig.cloud.unavailable import RigUnavailable, require_programs, require_root

TRIES = 50


def ip(*arguments: str) -> str:
    """Run `ip …`; raises CalledProcessError with its stderr if it fails."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


class Network:
    """The bridge. The host has the address `gateway`; guests reach servers that bind to it."""

    def __init__(self, leftovers: Leftovers) -> None:
        require_root()
        require_programs("ip", "tc", package="iproute2")
        random_numbers = random.SystemRandom()
        taken = _subnets_in_use()
        for _ in range(TRIES):
            x, y = random_numbers.randrange(64, 128), random_numbers.randrange(256)
            subnet = ipaddress.ip_network(f"10.{x}.{y}.0/24")
            if any(subnet.overlaps(other) for other in taken):
                continue
            self.name = f"rig{x}x{y}"  # only one of two rigs can make it: the name is the claim
            made = subprocess.run(
                ["ip", "link", "add", self.name, "type", "bridge"],
                capture_output=True,
                text=True,
                check=False,
            )
            if made.returncode == 0:
                break
            if "File exists" not in made.stderr:
                raise RigUnavailable(f"needs network bridges: {made.stderr.strip()}")
        else:
            raise RigUnavailable("needs a free subnet in 10.64.0.0/10")
        leftovers.link(self.name)
        self._prefix = f"10.{x}.{y}"
        self._numbers = count(2)
        self.gateway = f"{self._prefix}.1"
        # without its own address, a bridge takes the one of its first cable
        ip("link", "set", self.name, "address", f"02:00:0a:{x:02x}:{y:02x}:01", "up")
        ip("addr", "add", f"{self.gateway}/24", "dev", self.name)

    def new_address(self) -> str:
        return f"{self._prefix}.{next(self._numbers)}"

    def plug(self, pid: int, address: str) -> Cable:
        """Plug a cable into the network namespace of a process."""
        return Cable(self, address, pid)


class Cable:
    """A cable that is `eth0` in the guest; it disappears with the guest's namespace."""

    def __init__(self, network: Network, address: str, pid: int) -> None:
        name = f"{network.name}n{address.rpartition('.')[2]}"
        self.address, self._name, self._pid = address, name, pid
        octets = "".join(f":{int(part):02x}" for part in address.split("."))
        mac = f"02:01{octets}"
        peer = ("peer", "name", "eth0", "address", mac, "netns", str(pid))
        self.unplug()  # after a reboot the kernel may still have the old one
        ip("link", "add", name, "type", "veth", *peer)
        ip("link", "set", name, "master", network.name, "up")
        # A permanent neighbour: a cut then means silence, as in a wide network, and no quick error.
        neighbour = ("neigh", "replace", address, "lladdr", mac, "nud", "permanent")
        ip(*neighbour, "dev", network.name)

    def unplug(self) -> None:
        """Remove the cable, if it exists."""
        subprocess.run(["ip", "link", "del", self._name], capture_output=True, check=False)

    def cut(self) -> None:
        """Let nothing through from now on; neither end is told."""
        ip("link", "set", self._name, "down")

    def uncut(self) -> None:
        ip("link", "set", self._name, "up")

    def rate(self, rate: str | None) -> None:
        """Limit both directions (`20mbit`, as tc writes it); None: no limit."""
        inside = ("nsenter", f"--target={self._pid}", "--net")
        for prefix, device in (((), self._name), (inside, "eth0")):
            if rate is None:
                change = ["tc", "qdisc", "del", "dev", device, "root"]
            else:
                shape = ["tbf", "rate", rate, "burst", "64kb", "latency", "200ms"]
                change = ["tc", "qdisc", "replace", "dev", device, "root", *shape]
            subprocess.run([*prefix, *change], capture_output=True, check=rate is not None)


def _subnets_in_use() -> list[ipaddress.IPv4Network]:
    routes = json.loads(ip("-json", "-4", "route", "show"))
    places = [route["dst"] for route in routes if route["dst"] != "default"]
    return [ipaddress.IPv4Network(place, strict=False) for place in places]
