"""The real gcloud CLI, and our own code, pointed at the rig by Google's own variables.

Install gcloud from Google's images, from the archive `google-cloud-cli-*.tar.gz`, or from the apt
repository in Google's installation guide; Debian and PyPI do not have it. The tests use `compute
instances`, `compute ssh`, `compute scp` and `storage rsync`. Without gcloud: RigUnavailable.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rig.cloud import gce
from rig.cloud.unavailable import RigUnavailable

QUICK = Path(__file__).with_name("quick_gcloud.py")
WRAPPER = '#!/bin/sh\nPATH=${{PATH#*:}} exec {python} -I -S {script} "$@"\n'
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "CI")


def cloud_environment(
    folder: Path,
    gce_url: str,
    *,
    project: str = gce.PROJECT,
    zone: str = gce.ZONE,
    storage_url: str = "",
    token: str = "rig-token",
    user: str = "rig",
) -> dict[str, str]:
    """All variables for a program that should use the rig and none of its user's settings.

    The folder holds the home (ssh keys), gcloud's configuration and the access token.
    """
    home, token_file = folder / "home", folder / "token"
    home.mkdir(parents=True, exist_ok=True)
    token_file.write_text(token)
    environment = {key: os.environ[key] for key in KEPT if key in os.environ}
    environment.update(
        HOME=str(home),
        LOGNAME=user,  # the account that gcloud uses on the VM
        USER=user,
        CLOUDSDK_CONFIG=str(folder / "gcloud"),
        CLOUDSDK_CORE_PROJECT=project,
        CLOUDSDK_COMPUTE_ZONE=zone,
        CLOUDSDK_CORE_DISABLE_PROMPTS="1",
        CLOUDSDK_CORE_DISABLE_USAGE_REPORTING="1",
        CLOUDSDK_CORE_CHECK_GCE_METADATA="0",  # otherwise it looks for a metadata server first
        CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK="1",
        CLOUDSDK_SURVEY_DISABLE_PROMPTS="1",
        CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE=f"{gce_url}/compute/v1/",
        CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=str(token_file),
        GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT="false",  # its probe of the bucket hangs on the stand-in
        NO_GCE_CHECK="true",  # the same for google-auth
    )
    if storage_url:
        environment["STORAGE_EMULATOR_HOST"] = storage_url
        environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"] = f"{storage_url}/"
    return environment


def put_before(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """The same environment, with quick_gcloud.py as gcloud."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "gcloud"
    program.write_text(WRAPPER.format(python=sys.executable, script=QUICK))
    program.chmod(0o755)
    return {**environment, "PATH": f"{folder}:{environment['PATH']}"}


def storage_environment(url: str) -> str:
    """A guest's /etc/environment, which leads its gcloud and gcsfs to the rig's Cloud Storage."""
    return (
        f"STORAGE_EMULATOR_HOST={url}\n"
        f"CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE={url}/\n"
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true\n"
        f"CLOUDSDK_CORE_PROJECT={gce.PROJECT}\n"
    )


class Gcloud:
    """Runs the CLI in such an environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        program = shutil.which("gcloud", path=environment.get("PATH"))
        if program is None:
            raise RigUnavailable("needs gcloud: see the top of tests/rig/cloud/gcloud.py")
        self._program = program

    def __call__(
        self, *arguments: str, timeout_s: float = 240.0
    ) -> subprocess.CompletedProcess[str]:
        """`gcloud ARGUMENTS`: exit code, stdout and stderr; never raises for an exit code."""
        return subprocess.run(
            [self._program, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def ssh(
        self, name: str, command: str, timeout_s: float = 240.0
    ) -> subprocess.CompletedProcess[str]:
        return self("compute", "ssh", name, "--quiet", f"--command={command}", timeout_s=timeout_s)
