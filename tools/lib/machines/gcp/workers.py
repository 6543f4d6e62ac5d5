"""What the workers of a VM are told, and what the VM is told about them."""

import shlex

from lib.knobs import ROOT, Knobs
from lib.machines.gcp.resources import group_name, region_of
from lib.machines.ssh.model import start_script as start_model_script
from lib.machines.ssh.shell import Shell, script_of

STARTUP = ROOT / "vm_side" / "machine" / "worker.sh"
NETWORK = ROOT / "vm_side" / "machine" / "network.sh"
CERTIFICATE = ROOT / "vm_side" / "machine" / "certificate.sh"
SCHEDULER_PORT, DASHBOARD_PORT = 8786, 8787


def make_certificate(shell: Shell) -> str:
    """Return the fleet's certificate with its key; the VM makes it the first time."""
    return shell.run("bash -s", CERTIFICATE.read_bytes())


def startup_script(knobs: Knobs, certificate: str) -> str:
    """The startup script of a worker: its values, the start of its model, and worker.sh."""
    values = {
        "IMAGE": knobs.container_image,
        "BUCKET": knobs.bucket.rstrip("/"),
        "SCHEDULER_HOST": f"{knobs.vm}.{knobs.zone}.c.{knobs.project}.internal",
        "THREADS": knobs.processes,
        "ENDPOINT": knobs.endpoint,
        "GROUP": group_name(knobs.vm),
        "REGION": region_of(knobs.zone),
        "PROJECT": knobs.project,
        "IDLE_MINUTES": knobs.idle_minutes,
        "READY_TIMEOUT": int(knobs.ready_timeout),
        "PEM": certificate.strip(),
    }
    lines = [f"{name}={shlex.quote(str(value))}" for name, value in values.items()]
    model = start_model_script(knobs.container_image, knobs.container_args)
    functions = {"keep_token": NETWORK.read_text(encoding="utf-8"), "start_model": model}
    head = [f"{name}() {{\n{body}\n}}" for name, body in functions.items()]
    parts = ["#!/usr/bin/env bash", *lines, *head, STARTUP.read_text(encoding="utf-8")]
    return "\n".join(parts)


def start_script(knobs: Knobs, address: str) -> str:
    """Return shell that starts scheduler and own worker on the VM; address is its internal one."""
    words = (
        *(knobs.container_image, knobs.bucket.rstrip("/"), address),
        *(knobs.processes, knobs.endpoint),
    )
    return script_of("bash", "vm_side/machine/fleet.sh", *words)


STOP_SCRIPT = "docker rm -f dots-ocr-scheduler dots-ocr-worker >/dev/null 2>&1 || :"


def job_options(knobs: Knobs, address: str) -> list[str]:
    """Return options of a job for the workers: pages come from the bucket, results go there.

    Only the manifest grows on the VM; job.sh copies it to the bucket.
    """
    bucket = knobs.bucket.rstrip("/")
    values = {
        "--scheduler": f"tls://{address}:{SCHEDULER_PORT}",
        "--input": f"{bucket}/input",
        "--output": f"{bucket}/result",
        "--state": "/state",
    }
    return [text for name, value in values.items() for text in (name, value)]


def dashboard(knobs: Knobs) -> str:
    """Describe how to see Dask's dashboard, for people."""
    tunnel = " --tunnel-through-iap" if knobs.iap else ""
    return (
        f"gcloud compute ssh {knobs.vm} --zone {knobs.zone} --project {knobs.project}{tunnel}"
        f" -- -N -L {DASHBOARD_PORT}:127.0.0.1:{DASHBOARD_PORT},"
        f" then http://127.0.0.1:{DASHBOARD_PORT}/status"
    )
