"""What holds for every test."""

import os

# gcsfs reads it once, when it is imported, by whichever test comes first in this process; its probe
# of the bucket hangs on the stand-in for Cloud Storage
os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
