"""What we ask Compute Engine to make: the VM, and the template of its workers."""

import hashlib
from datetime import UTC, datetime

from google.cloud import compute_v1

from lib.knobs import Knobs
from lib.machine_types import price_warning, with_cards

IMAGE_PROJECT = "deeplearning-platform-release"
STORAGE = "https://www.googleapis.com/auth/devstorage.read_write"  # pages, results, code
COMPUTE = "https://www.googleapis.com/auth/compute"  # a worker has its group delete it
LABELS = {"made-by": "dots-ocr-vm-toolkit"}
LONGEST_BASE = 45  # of Google's 63 characters; the rest is for "-workers-" and a hash


def described(knobs: Knobs) -> dict[str, str]:
    """The VM that `create` asks for, for people."""
    why = price_warning(knobs, knobs.machine_type, knobs.spot)
    return {
        "VM": f"{knobs.vm} in {knobs.zone} of project {knobs.project}",
        "type": with_cards(knobs.machine_type) + (", spot" if knobs.spot else ""),
        "disk": f"{knobs.disk_gb} GB pd-balanced, from {IMAGE_PROJECT}/{knobs.image_family}",
        "address": "none; ssh through IAP" if knobs.iap else "external",
        "stops by itself": f"after {knobs.max_hours:g} h" if knobs.max_hours else "never",
        "price": f"{knobs.price_per_hour:.3f} USD an hour while it runs, and its disk always",
        **({"beware": why} if why else {}),
    }


def new_instance(knobs: Knobs, startup_script: str) -> compute_v1.Instance:
    """The VM that `create` asks for. It is on when it is made: the script guards it."""
    family = f"projects/{IMAGE_PROJECT}/global/images/family/{knobs.image_family}"
    zone = f"projects/{knobs.project}/zones/{knobs.zone}"
    disk = compute_v1.AttachedDiskInitializeParams(
        source_image=family, disk_size_gb=knobs.disk_gb, disk_type=f"{zone}/diskTypes/pd-balanced"
    )
    return compute_v1.Instance(
        name=knobs.vm,
        machine_type=f"zones/{knobs.zone}/machineTypes/{knobs.machine_type}",
        scheduling=scheduling(knobs.spot, knobs.max_hours, "STOP"),
        disks=[compute_v1.AttachedDisk(boot=True, auto_delete=True, initialize_params=disk)],
        network_interfaces=[network(knobs)],
        service_accounts=[account(knobs, STORAGE)],
        labels=LABELS,
        metadata=compute_v1.Metadata(
            items=[
                compute_v1.Items(key=key, value=value)
                for key, value in (
                    ("install-nvidia-driver", "True"),
                    ("startup-script", startup_script),
                )
                if value
            ]
        ),
    )


def scheduling(spot: bool, max_hours: float, at_the_end: str) -> compute_v1.Scheduling:
    """How long a VM may run, at which price, and what becomes of it then: STOP or DELETE."""
    wanted = compute_v1.Scheduling(
        provisioning_model="SPOT" if spot else "STANDARD",
        on_host_maintenance="TERMINATE",  # a VM with a GPU cannot move
        automatic_restart=False,
    )
    if max_hours or spot:
        wanted.instance_termination_action = at_the_end
    if max_hours:
        wanted.max_run_duration = compute_v1.Duration(seconds=int(max_hours * 3600))
    return wanted


def network(knobs: Knobs) -> compute_v1.NetworkInterface:
    """The project's own network, with an external address unless ssh goes through IAP."""
    access = (
        [] if knobs.iap else [compute_v1.AccessConfig(type_="ONE_TO_ONE_NAT", name="External NAT")]
    )
    return compute_v1.NetworkInterface(network="global/networks/default", access_configs=access)


def account(knobs: Knobs, *scopes: str) -> compute_v1.ServiceAccount:
    """Return the account that a VM acts as; scopes limit it, whatever roles it has."""
    return compute_v1.ServiceAccount(email=knobs.service_account or "default", scopes=scopes)


def region_of(zone: str) -> str:
    """The region of a zone."""
    return zone.rpartition("-")[0]


def group_name(vm: str) -> str:
    """Return the name of a VM's group of workers. A long name is cut, but stays unique."""
    if len(vm) > LONGEST_BASE:
        digest = hashlib.sha256(vm.encode()).hexdigest()[:8]
        vm = f"{vm[: LONGEST_BASE - 9]}-{digest}"
    return f"{vm}-workers"


def emptying_command(knobs: Knobs) -> str:
    """Return the command that lets a VM's workers go by hand."""
    return (
        f"gcloud compute instance-groups managed resize {group_name(knobs.vm)} --size=0"
        f" --region {region_of(knobs.zone)} --project {knobs.project}"
    )


def image_link(knobs: Knobs) -> str:
    """Return the workers' image as Google names it."""
    name = knobs.worker_image
    return name if "/" in name else f"projects/{knobs.project}/global/images/{name}"


def workers_end(started: float | None, max_hours: float, now: float) -> str:
    """Return until when workers may run, as RFC 3339; empty: for ever. started, now: Unix time.

    They may run for max_hours from the start of their VM; or from now on, if that has passed. A
    limit for each worker would not do: one that turns itself off is made again, with a new limit.
    """
    if not max_hours:
        return ""
    end = (now if started is None else started) + max_hours * 3600
    if end <= now:
        end = now + max_hours * 3600
    return datetime.fromtimestamp(end, UTC).isoformat(timespec="seconds")


def worker_template(knobs: Knobs, startup_script: str, until: str) -> compute_v1.InstanceTemplate:
    """Return the workers' template. Templates cannot change: another content has another name.

    Before the time `until`, a group makes a preempted worker again. At that time it deletes those
    that run, and makes no more.
    """
    limits = scheduling(True, 0, "DELETE")
    if until:
        limits.termination_time = until
    properties = compute_v1.InstanceProperties(
        machine_type=knobs.machine_type,
        scheduling=limits,
        disks=[
            compute_v1.AttachedDisk(
                boot=True,
                auto_delete=True,
                initialize_params=compute_v1.AttachedDiskInitializeParams(
                    source_image=image_link(knobs), disk_type="pd-balanced"
                ),
            )
        ],
        network_interfaces=[network(knobs)],
        service_accounts=[account(knobs, STORAGE, COMPUTE)],
        labels=LABELS,
        metadata=compute_v1.Metadata(
            items=[compute_v1.Items(key="startup-script", value=startup_script)]
        ),
    )
    content = compute_v1.InstanceProperties.to_json(
        properties, sort_keys=True, always_print_fields_with_no_presence=False
    )
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    return compute_v1.InstanceTemplate(
        name=f"{group_name(knobs.vm)}-{digest}", properties=properties
    )


def worker_group(knobs: Knobs, template: str, zones: list[str]) -> compute_v1.InstanceGroupManager:
    """Return the group of the workers, which makes them wherever there is room for one.

    Its description names what cannot be changed: the zones.
    """
    name = group_name(knobs.vm)
    return compute_v1.InstanceGroupManager(
        name=name,
        description=f"Workers of {knobs.vm}; zones: {', '.join(zones) or 'any'}",
        base_instance_name=name,
        instance_template=template,
        target_size=knobs.workers,
        distribution_policy=compute_v1.DistributionPolicy(
            target_shape="ANY",
            zones=[
                compute_v1.DistributionPolicyZoneConfiguration(
                    zone=f"projects/{knobs.project}/zones/{zone}"
                )
                for zone in zones
            ],
        ),
        # ANY needs NONE; OPPORTUNISTIC leaves running workers alone when the template changes
        update_policy=compute_v1.InstanceGroupManagerUpdatePolicy(
            instance_redistribution_type="NONE", type_="OPPORTUNISTIC"
        ),
    )
