"""An instance's metadata: values by key, which stay while it is off."""

from typing import Any

from google.cloud import compute_v1

from lib.machines.gcp.compute import Instance

SWAP_TRIES = 5


def value_in(metadata: Any, key: str) -> str:
    """The value of a key; nothing if there is none."""
    return next((str(item.value) for item in metadata.items if item.key == key), "")


def swap(instance: Instance, key: str, old: str, new: str) -> bool:
    """Replace the value `old` by `new`; return False if the value is no longer `old`.

    An empty text means that there is no value. Tries again if somebody changed another key.
    """
    for _ in range(SWAP_TRIES):
        if value_in((vm := instance.get()).metadata, key) != old:
            break
        items = [item for item in vm.metadata.items if item.key != key]
        items += [compute_v1.Items(key=key, value=new)] if new else []
        metadata = compute_v1.Metadata(fingerprint=vm.metadata.fingerprint, items=items)
        if instance.set_metadata(metadata):
            return True
    return False
