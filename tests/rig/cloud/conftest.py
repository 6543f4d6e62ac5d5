"""Fixtures of the rig's own tests."""

import lib.machines.gcp  # noqa: F401 - from here on, of Google's library only what is used is loaded
from rig.cloud.fixtures import cloud, gce, image_tar

__all__ = ["cloud", "gce", "image_tar"]
