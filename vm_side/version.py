"""The toolkit's version, the same for both sides, and the option by which each script tells it."""

import click

VERSION = "0.1.0"

version_option = click.version_option(VERSION, prog_name="dots-ocr-vm-toolkit")
