"""The lasting disk of a VM: turns this machine's own files into another computer's.

The root is an overlay. Its lower layer is this machine's files, read only. Its upper layer is this
folder, which keeps everything that the guest writes, in all its boots.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import uuid
from pathlib import Path

GUEST = Path(__file__).with_name("guest")
# The folders of the operating system at the top level; others are this machine's own.
SYSTEM = {"bin", "boot", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr", "var"}
EMPTY = (
    "etc/systemd/system",  # what is enabled here must not run there
    "usr/lib/systemd/system-generators",
    "etc/ssh/sshd_config.d",
    "usr/local/bin",
    "var/lib/docker",
    "var/lib/containerd",
    "var/log/journal",
    "var/spool/cron",
)
LASTING = ("home", "var/lib/docker", "var/lib/containerd")  # no overlay here: docker makes its own
UNWANTED = (  # units that need a real machine, or cost time
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty.target",
    "man-db.timer",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-journal-catalog-update.service",
    "systemd-modules-load.service",
    "systemd-network-generator.service",
    "systemd-networkd.service",
    "systemd-remount-fs.service",
    "systemd-sysusers.service",
    "systemd-timesyncd.service",
    "systemd-udev-trigger.service",
    "systemd-udevd.service",
    "systemd-update-utmp-runlevel.service",
)
ENABLED = ("ssh.service", "docker.service")
STARTUP_SCRIPT = "var/lib/startup-script"
STARTUP_UNIT = f"""[Unit]
Description=Run the startup script
After=network.target
ConditionFileNotEmpty=/{STARTUP_SCRIPT}

[Service]
Type=oneshot
ExecStart=/bin/sh -c "cp /{STARTUP_SCRIPT} /run/startup && chmod +x /run/startup && /run/startup"
"""
FILES = {
    "etc/fstab": "",
    "etc/resolv.conf": "",
    # Without address translation, docker's own proxy does `-p`, and nothing gets out.
    "etc/docker/daemon.json": '{"iptables": false, "ip6tables": false, "ip-forward": false,\n'
    ' "bip": "172.17.0.1/16", "storage-driver": "overlay2"}\n',
    "etc/systemd/system.conf.d/rig.conf": "[Manager]\nDefaultTimeoutStopSec=15s\n",
    "etc/systemd/journald.conf.d/rig.conf": "[Journal]\nStorage=persistent\n",
    "etc/sudoers.d/google_sudoers": "%google-sudoers ALL=(ALL:ALL) NOPASSWD:ALL\n",
    "etc/ssh/sshd_config": "HostKey /etc/ssh/ssh_host_ed25519_key\n"
    "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin no\n"
    "UsePAM yes\nPrintMotd no\nClientAliveInterval 5\nClientAliveCountMax 2\n"
    "Subsystem sftp /usr/lib/openssh/sftp-server\n",
}


def make_disk(folder: Path, hostname: str) -> None:
    """Make a new disk in an empty folder, with everything that the guest needs to boot."""
    upper = folder / "upper"
    for name in ("upper", "work", "root", *(f"lasting/{path}" for path in LASTING)):
        (folder / name).mkdir(parents=True)
    for path in Path("/").iterdir():
        if path.is_dir() and path.name not in SYSTEM and not path.is_symlink():
            _hide(upper / path.name)
        elif path.is_file():
            # for overlayfs it means that there is no such file
            os.mknod(upper / path.name, stat.S_IFCHR)
    for name in EMPTY:
        _hide(upper / name)
    (upper / "var/log/journal").chmod(0o755)
    (upper / "root").chmod(0o700)

    units = upper / "etc/systemd/system"
    for unit in UNWANTED:
        (units / unit).symlink_to("/dev/null")
    wanted = units / "multi-user.target.wants"
    wanted.mkdir()
    for unit in ENABLED:
        (wanted / unit).symlink_to(f"/lib/systemd/system/{unit}")
    (units / "startup.service").write_text(STARTUP_UNIT)
    (wanted / "startup.service").symlink_to("/etc/systemd/system/startup.service")

    files = {
        **FILES,
        "etc/machine-id": f"{uuid.uuid4().hex}\n",  # an empty one would enable every unit
        "etc/hostname": f"{hostname}\n",
        "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {hostname}\n",
    }
    for name, text in files.items():
        (upper / name).parent.mkdir(parents=True, exist_ok=True)
        (upper / name).write_text(text)
    (upper / "etc/sudoers.d").chmod(0o750)
    (upper / "etc/sudoers.d/google_sudoers").chmod(0o440)
    (upper / "usr/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(GUEST / "nvidia-smi", upper / "usr/bin/nvidia-smi")
    key = upper / "etc/ssh/ssh_host_ed25519_key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", hostname, "-f", str(key)], check=True
    )


def _hide(folder: Path) -> None:
    """Make the folder empty in the guest, whatever this machine has in it."""
    folder.mkdir(parents=True, exist_ok=True)
    os.setxattr(folder, "trusted.overlay.opaque", b"y")
