"""The one table of knobs, and how a verb gets their values.

Precedence: flag > environment (a make variable lands there) > config.env > default.
"""

import dataclasses
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from contract import AUTO, KEY, PASSWORD, ROTATIONS, SECRETS, WITNESSES, key_from, password_from
from contract import OCR as OCR
from lib import closed, kinds, make_line
from lib.config import read_config, what_it_says
from lib.options import Option, Spare, envvars, option, version_option
from picture_files import PICTURE_FORMS

ROOT = Path(__file__).resolve().parents[2]


def knob(default: Any, text: str, kind: Any = str, short: str = "", google: str = "") -> Any:
    """One row of the table: default, help, click type, one-letter flag, gcloud's variable."""
    metadata = {"help": text, "kind": kind, "short": short, "google": google}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Knobs:
    """All knobs; a field's name in capitals is its name in config.env and on the make line."""

    target: str = knob("gcp", "Where the work runs.", click.Choice(["gcp", "ssh", "local"]))
    input: str = knob("", "Folder of page images and PDFs, or one file.", kinds.local_path)
    output: str = knob("./results", "Folder for the results, on this computer.", kinds.local_path)
    truth: str = knob(
        "", "make score, make tune: folder with the truth of the pages, as JSON.", kinds.local_path
    )
    sample: int = knob(50, "make tune: how many pages of INPUT it reads.", kinds.Whole(1, 1000))
    processes: int = knob(
        256, "Maximum number of pages read at the same time.", kinds.Whole(1, 512), "-p"
    )
    max_pixels: int = knob(
        2_000_000,
        "Maximum pixels of the picture that the model sees.",
        kinds.Whole(3136, 11289600),
        "-m",
    )
    upsample_below: int = knob(
        1_200_000, "Pictures with this many pixels or fewer are enlarged first.", kinds.Whole(0)
    )
    rotate: str = knob(
        AUTO,
        "Degrees to turn each page clockwise; auto: turned pages are found and set upright.",
        click.Choice(ROTATIONS),
    )
    prompt_mode: str = knob(
        "layout_all", "What to ask for.", click.Choice(["layout_all", "layout_only", "ocr"])
    )
    images: bool = knob(False, "Also draw the boxes on the pages.", bool, "-i")
    pictures: str = knob(
        PICTURE_FORMS[0],
        "Picture cells: files next to the Markdown, inside it (inline), or none.",
        click.Choice(PICTURE_FORMS),
    )
    model: str = knob(
        "", "Name of the served model; empty: the one that the server has.", kinds.one_line
    )
    endpoint: str = knob(
        "http://127.0.0.1:8000", "The model server, as seen from the machine.", kinds.endpoint_url
    )
    api_key_file: str = knob(
        "", f"File with the model server's key; or the key itself in the variable {KEY}."
    )
    pages: str = knob("", "Only these pages of each file, such as 1-20,35.", kinds.page_list)
    pdf_password_file: str = knob(
        "", f"File with the password of PDFs; or the password itself in the variable {PASSWORD}."
    )
    witness: str = knob(
        WITNESSES[0],
        f"What an answer is compared with: the page's ink; {OCR}: and a second reader; or nothing.",
        click.Choice(WITNESSES),
    )
    doubtful: bool = knob(False, "Read doubtful pages again.", bool)
    preflight: bool = knob(
        True, "Refuse a model server that would read pages wrongly and not say so.", bool
    )
    ready_timeout: float = knob(600.0, "Seconds to wait for the model server.", kinds.Number(0))
    request_timeout: float = knob(1800.0, "Seconds to wait for one page.", kinds.Number(1))
    page_timeout: float = knob(
        60.0, "CPU seconds that opening or drawing one page may take.", kinds.Number(1)
    )
    retries: int = knob(3, "Further tries for a page.", kinds.Whole(0, 20))
    price_per_hour: float = knob(
        1.096, "What the machine costs an hour, in USD; nothing with TARGET=local.", kinds.Number(0)
    )
    price_per_worker_hour: float = knob(
        0.229, "What one of the WORKERS costs an hour, in USD.", kinds.Number(0)
    )
    budget: float = knob(
        0.0, "USD that the machines may cost in one make all; 0: no limit.", kinds.Number(0)
    )
    metrics_port: int = knob(
        0, "The machine's port of 127.0.0.1 for Prometheus; 0: none.", kinds.Whole(0, 65535)
    )
    notify: str = knob("", "URL or command that is told how make all has ended; empty: nobody.")
    notify_file: str = knob("", "File with the value of NOTIFY, if that is a secret.")
    project: str = knob(
        "dev-giyoung", "Google Cloud project.", kinds.project, google="CLOUDSDK_CORE_PROJECT"
    )
    zone: str = knob(
        "asia-northeast3-a", "The VM's zone.", kinds.resource, google="CLOUDSDK_COMPUTE_ZONE"
    )
    vm: str = knob("dots-ocr-l4-test-vm", "The VM's name.", kinds.resource)
    service_account: str = knob(
        "", "make create, WORKERS: the account of the VMs; empty: the default.", kinds.account
    )
    bucket: str = knob(
        "", "gs://… through which pages and results go; empty: over ssh.", kinds.bucket_url
    )
    take: bool = knob(
        False,
        "Take over the machine's folders even if they hold others' files, which are then deleted.",
        bool,
    )
    ssh_host: str = knob("", "TARGET=ssh: the machine, as you give it to ssh.", kinds.ssh_host)
    container_image: str = knob(
        "custom-dots-ocr:unified",
        "Image of the model server, on the machine.",
        kinds.container_image,
    )
    container_args: str = knob(
        "--gpus all --ipc host -p 127.0.0.1:8000:8000 -v dots-ocr-cache:/root/.cache/vllm",
        "Options of docker run for the model server.",
        kinds.one_line,
    )
    container_base: str = knob(
        "vllm/vllm-openai:v0.32.0",
        "make image: the image that it builds on; NAME@sha256:… pins it.",
        kinds.container_image,
    )
    model_id: str = knob(
        "rednote-hilab/dots.ocr", "make image: the weights, from Hugging Face.", kinds.model_id
    )
    model_revision: str = knob("", "make image: the weights' commit, 40 digits.", kinds.commit)
    start_timeout: float = knob(
        1800.0,
        "Seconds to wait for a VM, also while its zone is out of stock.",
        kinds.Number(0),
    )
    idle_minutes: int = knob(
        15,
        "The VM turns itself off after this many idle minutes; 0: never.",
        kinds.Whole(0, 120 * 24 * 60),
    )
    max_hours: float = knob(
        12.0, "The VM is turned off this many hours after its start; 0: never.", kinds.Hours(0)
    )
    machine_type: str = knob(
        "g2-standard-8", "make create: the VM's type, with its GPU.", kinds.resource
    )
    image_family: str = knob(
        "common-cu129-ubuntu-2404-nvidia-580",
        "make create: the VM's image, with driver and docker.",
        kinds.resource,
    )
    disk_gb: int = knob(200, "make create: the VM's disk, in GB.", kinds.Whole(50))
    spot: bool = knob(False, "make create: a spot VM, a fifth of the price.", bool)
    workers: int = knob(
        0, "Spot VMs that help the VM read; 0: it reads alone.", kinds.Whole(0, 1000)
    )
    zones: str = knob(
        "",
        "WORKERS: zones of ZONE's region they may use, comma-separated; empty: any.",
        kinds.zones,
    )
    worker_image: str = knob(
        "", "WORKERS: disk image with docker, driver and CONTAINER_IMAGE.", kinds.disk_image
    )
    iap: bool = knob(False, "No external address: ssh through Google's IAP.", bool)
    export: str = knob("", "Document formats that make all makes at its end, comma-separated.")
    formats: str = knob(
        "", "make export: formats, comma-separated; empty: those of EXPORT, else md."
    )
    documents: str = knob(
        "files",
        "files: one document for each file; folders: one for all pictures of a folder.",
        click.Choice(["files", "folders"]),
    )
    page_headers: bool = knob(False, "Documents have the page headers and footers, too.", bool)
    machine_dir: str = knob(
        ".local-machine",
        "TARGET=local: the folder that stands for the machine.",
        kinds.local_path,
    )


TABLE = {entry.name.upper(): entry for entry in dataclasses.fields(Knobs)}
GCP = (
    "PROJECT",
    "ZONE",
    "VM",
    "SPOT",
    "IAP",
    "MACHINE_TYPE",
    "IMAGE_FAMILY",
    "DISK_GB",
    "SERVICE_ACCOUNT",
    "MAX_HOURS",
)
MACHINE = (
    "TARGET",
    "PROJECT",
    "ZONE",
    "VM",
    "BUCKET",
    "SSH_HOST",
    "ENDPOINT",
    "MACHINE_DIR",
    "WORKERS",
    "TAKE",
)
FLEET = ("ZONES", "WORKER_IMAGE")
EXPORTING = ("EXPORT", "DOCUMENTS", "PAGE_HEADERS")


def config_path() -> Path:
    """The file of knobs."""
    return Path(os.environ.get("CONFIG") or ROOT / "config.env")


class Verb(click.Command):
    """A command that takes the defaults of its options from config.env.

    needed: the knobs that it needs for its work; None means all.
    """

    needed: Collection[str] | None = None

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Look at the make line, read config.env, then parse the command line as usual."""
        make_line.check({*TABLE, *envvars(self)}, self.needed)
        config = read_config(config_path(), TABLE, self.needed)
        extra["default_map"] = {name.lower(): value for name, value in config.items()}
        return super().make_context(info_name, args, parent, **extra)


def verb(
    *shown: str, needed: Collection[str] | None = None, **settings: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function that takes Knobs; `shown` are the knobs that its help lists.

    The command also works if knobs that are not `needed` have wrong values.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        def call(**values: Any) -> Any:
            own = {name: values.pop(name) for name in list(values) if name.upper() not in TABLE}
            knobs = Knobs(**values)
            if knobs.input:
                closed.as_closed_as(Path(knobs.input).expanduser())
            return function(knobs, **own)

        call.__dict__.update(function.__dict__)  # options that the function declared itself
        call.__doc__ = function.__doc__
        for name, entry in reversed(TABLE.items()):
            cls = Option if needed is None or name in needed else Spare
            call = option(name, entry, cls, hidden=name not in shown)(call)
        call = version_option(call)
        context = {"show_default": True, "max_content_width": 100}
        command: Verb = click.command(cls=Verb, context_settings=context, **settings)(call)
        command.needed = needed
        return command

    return decorate


def presumed(*names: str) -> dict[str, Any]:
    """Return the probable values of these knobs, by field: for a message if config.env is wrong."""
    file = what_it_says(config_path())
    values: dict[str, Any] = {}
    for name in names:
        google = TABLE[name].metadata["google"]
        given = os.environ.get(name) or os.environ.get(google) or file.get(name)
        values[name.lower()] = given or TABLE[name].default
    return values


def as_environment(knobs: Knobs) -> Mapping[str, str]:
    """Return the environment of another verb that we run; it gets its knobs only from us.

    config.env may be edited meanwhile, so the verb does not read it. Nor does it get make's line
    and FORCE, which were not meant for it.
    """
    values = dataclasses.asdict(knobs)
    own = {name: str(values[name.lower()]) for name in TABLE}
    return {**os.environ, **own, "CONFIG": os.devnull, make_line.VARIABLE: "", "FORCE": ""}


def model_key(knobs: Knobs) -> str:
    """Return the model server's key; empty: none. Not a knob, as config.env holds no secrets.

    Raises click.UsageError.
    """
    try:
        return key_from(os.environ.get(KEY, ""), knobs.api_key_file)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def pdf_password(knobs: Knobs) -> str:
    """Return the password that opens PDFs, as model_key does. Raises click.UsageError."""
    try:
        return password_from(os.environ.get(PASSWORD, ""), knobs.pdf_password_file)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def zones_of(knobs: Knobs) -> list[str]:
    """The zones that ZONES names."""
    return [zone for text in knobs.zones.split(",") if (zone := text.strip())]


def check_workers(knobs: Knobs) -> None:
    """Raise click.UsageError if WORKERS asks for what the other knobs do not allow.

    Also if DOUBTFUL does so, or if a secret cannot be read. Called before anything is turned on.
    """
    if knobs.doubtful and knobs.witness == "off":
        raise click.UsageError(
            "DOUBTFUL=1 keeps the answer that is trusted more: give WITNESS=ink or ocr"
        )
    given = {KEY: model_key(knobs), PASSWORD: pdf_password(knobs)}
    if not knobs.workers:
        return
    if knobs.target != "gcp":
        raise click.UsageError(f"WORKERS are VMs of Google Cloud: TARGET=gcp, not {knobs.target}")
    if not knobs.bucket:
        raise click.UsageError("WORKERS need a bucket, where all see the pages: BUCKET=gs://name")
    if not knobs.worker_image:
        raise click.UsageError(
            "WORKERS need WORKER_IMAGE, a disk image; made once, while the VM is off:"
            f" gcloud compute images create NAME --project={knobs.project}"
            f" --source-disk={knobs.vm} --source-disk-zone={knobs.zone}"
        )
    if knobs.spot:
        raise click.UsageError("WORKERS need a VM that stays, for their scheduler: SPOT=0")
    if name := next(filter(given.get, given), ""):
        raise click.UsageError(
            f"WORKERS cannot be given a secret: leave out {name} and {SECRETS[name]}"
        )
    region = knobs.zone.rpartition("-")[0]
    for zone in zones_of(knobs):
        if zone.rpartition("-")[0] != region:
            raise click.UsageError(f"ZONES: {zone} is not in {region}, the region of ZONE")
