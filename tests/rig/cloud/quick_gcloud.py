"""`gcloud compute ssh` and `auth` as our commands call them, without gcloud's second of CPU.

It prints the same command line, and adds the same key to the project; test_cloud_rig.py compares
the two. For all other commands it runs the real gcloud. It is run by `python -I -S`: no import here
is slow.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ENDPOINT = "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"
PLACES = "--project=", "--zone=", "--ssh-flag=", "--command="
KNOWN = {"--quiet", "--dry-run"}


class Api:
    """Compute Engine's API, at the address in the environment."""

    def __init__(self) -> None:
        parts = urlsplit(os.environ[ENDPOINT])
        self._path = parts.path.rstrip("/")
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=120)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer; a refusal ends the process."""
        sent = None if body is None else json.dumps(body)
        token = Path(os.environ["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]).read_text().strip()
        head = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self._connection.request(method, f"{self._path}/{path}", sent, head)
        answer = self._connection.getresponse()
        found = json.load(answer)
        if answer.status != http.client.OK:
            sys.exit(f"ERROR: (gcloud.compute.ssh) {found['error']['message']}")
        return found


def main() -> None:
    words = sys.argv[1:]
    if words == ["auth", "print-access-token", "--quiet"]:
        print(Path(os.environ["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]).read_text().strip())
        return
    if not is_known(words):
        os.execvp("gcloud", ["gcloud", *words])  # PATH leads to the real gcloud
    given = {option.rstrip("="): valued(words, option) for option in PLACES}
    (project,), (zone,) = given["--project"], given["--zone"]
    api, user = Api(), os.environ["USER"]
    instance = api.ask("GET", f"projects/{project}/zones/{zone}/instances/{words[2]}")
    folder = Path(os.environ["HOME"], ".ssh")
    key, hosts = folder / "google_compute_engine", folder / "google_compute_known_hosts"
    if not key.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        make_key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", user, "-f", str(key)]
        subprocess.run(make_key, check=True)
    line = login(instance, user, key, hosts, given["--ssh-flag"])
    if "--dry-run" in words:
        print(shlex.join(line))
        return
    bring_key(api, project, f"{user}:{Path(f'{key}.pub').read_text().strip()}")
    command = ["-T" if word == "-t" else word for word in line] + ["--", *given["--command"]]
    sys.exit(subprocess.run(command, check=False).returncode)


def is_known(words: list[str]) -> bool:
    """Whether it is a login that this program can do."""
    options = [word for word in words[3:] if not word.startswith(PLACES)]
    return words[:2] == ["compute", "ssh"] and set(options) <= KNOWN


def valued(words: list[str], option: str) -> list[str]:
    """The values of an option, in order."""
    return [word.removeprefix(option) for word in words if word.startswith(option)]


def login(instance: Any, user: str, key: Path, hosts: Path, flags: list[str]) -> list[str]:
    """The ssh command that gcloud would run."""
    alias = f"compute.{instance['id']}"
    is_known_host = hosts.exists() and f"{alias} " in hosts.read_text()
    options = {
        "CheckHostIP": "no",
        "HashKnownHosts": "no",
        "HostKeyAlias": alias,
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "yes" if is_known_host else "no",
        "UserKnownHostsFile": str(hosts),
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    address = instance["networkInterfaces"][0]["accessConfigs"][0]["natIP"]
    return ["/usr/bin/ssh", "-t", "-i", str(key), *words, *flags, f"{user}@{address}"]


def bring_key(api: Api, project: str, entry: str) -> None:
    """Add the key to the project's metadata, unless it is there already."""
    metadata = api.ask("GET", f"projects/{project}")["commonInstanceMetadata"]
    values = {item["key"]: item["value"] for item in metadata.get("items", [])}
    lines = values.get("ssh-keys", "").splitlines()
    if entry in lines:
        return
    values["ssh-keys"] = "\n".join([*lines, entry])
    items = [{"key": name, "value": value} for name, value in values.items()]
    body = {"fingerprint": metadata["fingerprint"], "items": items}
    path = f"projects/{project}/setCommonInstanceMetadata?requestId={uuid.uuid4()}"
    operation = api.ask("POST", path, body)["name"]
    api.ask("POST", f"projects/{project}/global/operations/{operation}/wait")


if __name__ == "__main__":
    main()
