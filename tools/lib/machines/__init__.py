"""Where the work runs. Each kind of machine is a file or a wing here; this file opens one.

May import: contract, lib, lib.machines.ssh, lib.machines.gcp.
"""

from lib.knobs import Knobs
from lib.machines.machine import Machine


def open_machine(knobs: Knobs) -> Machine:
    """Return the machine that TARGET names. Loads only its packages: Google's take a second."""
    if knobs.target == "gcp":
        from lib.machines.gcp.machine import GcpMachine  # noqa: PLC0415 - see above

        return GcpMachine(knobs)
    if knobs.target == "ssh":
        from lib.machines.ssh.machine import RemoteMachine  # noqa: PLC0415 - see above

        return RemoteMachine(knobs)
    from lib.machines.local import LocalMachine  # noqa: PLC0415 - see above

    return LocalMachine(knobs)
