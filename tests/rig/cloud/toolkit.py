"""The commands in tools/ with TARGET=gcp, against the rig.

kit = CloudToolkit(cloud, tmp_path)
vm = cloud.add_vm(kit.vm, image_tar=image_tar)
names = kit.write_pages(3)
assert kit.run("all").code == 0
assert cloud.gce.status(kit.vm) == "TERMINATED"
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

from rig.cloud.cloud import Cloud
from rig.cloud.gce import GceServer
from rig.cloud.gcloud import cloud_environment, put_before
from rig.cloud.light import light_project
from rig.toolkit import MARK, NOT_INHERITED, ROOT, Toolkit

VM = "dots-ocr-vm"
BUCKET = "pages"
AS_USER = (
    "cd /home/rig && exec setpriv --reuid=rig --regid=rig --init-groups"
    ' env HOME=/home/rig bash -c "$1"'
)


class GceToolkit(Toolkit):
    """A user's computer with a config.env that names a VM of this Compute Engine."""

    def __init__(self, gce: GceServer, folder: Path, **knobs: str) -> None:
        super().__init__(folder)
        self.gce, self.vm = gce, knobs.get("VM", VM)
        own = {"TARGET": "gcp", "CONTAINER_ARGS": "--network host", "READY_TIMEOUT": "60"}
        self.knobs |= {"VM": self.vm, **own, **knobs}

    def google(self) -> dict[str, str]:
        """Google's own variables, and the quick gcloud."""
        real = cloud_environment(self.folder / "google", self.gce.url)
        return put_before(real, self.folder / "quick")

    @property
    def shut_out(self) -> str:
        """A PATH with a gcloud that is logged in, but cannot enter any VM."""
        program = self.folder / "shut" / "gcloud"
        program.parent.mkdir(exist_ok=True)
        program.write_text('#!/bin/sh\n[ "$1" = auth ] || { echo "no way in" >&2; exit 1; }\n')
        program.chmod(0o755)
        return str(program.parent)

    def environment(self, **more: str) -> dict[str, str]:
        """Google's variables, and nothing of the caller's; an empty value removes a variable."""
        rig = {k: v for k, v in self.google().items() if k not in NOT_INHERITED}
        every = {**rig, "CONFIG": str(self.config), MARK: self.mark, **more}
        return {name: value for name, value in every.items() if value}

    @property
    def calls(self) -> list[str]:
        """The names of the calls so far that changed something: `start`, `setMetadata` …"""
        posts = [call.path for call in self.gce.calls if call.method in ("POST", "DELETE")]
        return [name for path in posts if (name := path.rpartition("/")[2]) != "wait"]


class CloudToolkit(GceToolkit):
    """The same with the whole rig; `bucket` makes a bucket and names it in the config.

    The machine's packages are those of its image, and gcloud is the quick one, unless `with_all()`.
    """

    def __init__(self, cloud: Cloud, folder: Path, *, bucket: bool = False, **knobs: str) -> None:
        super().__init__(cloud.gce, folder, **knobs)
        self.cloud, self.root = cloud, light_project()
        if bucket:
            cloud.gcs.make_bucket(BUCKET)
            self.knobs["BUCKET"] = f"gs://{BUCKET}"

    def with_all(self) -> Self:
        """From now on, collect and send the packages, and use Google's gcloud."""
        self.root = ROOT
        return self

    def google(self) -> dict[str, str]:
        """The rig's variables; with the quick gcloud, unless `with_all()` was called."""
        variables = self.cloud.environment
        return variables if self.root == ROOT else put_before(variables, self.folder / "quick")

    def on_vm(self, script: str) -> str:
        """Run a script as the VM's user in its home; return what it prints."""
        return self.cloud.vms[self.vm].run(AS_USER, script).stdout

    def home(self, name: str) -> Path:
        """The path on this computer of a file in the home of the VM's user."""
        return self.cloud.vms[self.vm].path(f"/home/rig/{name}")

    def asked(self) -> int:
        """How many pages were requested from the model's containers, without the tiny question."""
        folder = self.cloud.vms[self.vm].path("/var/lib/docker/containers")
        log = "".join(path.read_text() for path in folder.glob("*/*-json.log"))
        return len(re.findall(r"POST /v1/chat/completions \S+ (?!28x28)\d", log))
