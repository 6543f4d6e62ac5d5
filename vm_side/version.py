"""The toolkit's version, one for both sides, and the option of every script that tells it."""

import click

VERSION = "0.1.0"

version_option = click.version_option(VERSION, prog_name="dots-ocr-vm-toolkit")
