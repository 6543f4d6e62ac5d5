"""The model's container on a machine that has docker."""

import hashlib
import shlex
from collections.abc import Mapping
from typing import Any

from lib.console import Failure, printable
from lib.machines.shell import Shell

MODEL_CONTAINER = "dots-ocr-model"
UNTIL_DOCKER_RUNS = (  # after a boot sshd may be there first
    "for i in $(seq 60); do docker version 2>&1 | grep -q 'Cannot connect' || break; sleep 1; done;"
)
PRINT_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def start_model(shell: Shell, image: str, options: str) -> None:
    """Start the container, unless it runs already with this image and these options.

    It does not wait for the model. Any other container of the image makes way. docker starts it
    anew once if it dies.
    """
    label = hashlib.sha256(f"{image} {options}".encode()).hexdigest()[:16]
    form = shlex.quote("{{.State.Running}} {{.Config.Labels.dots_ocr}}")
    run_image(
        shell,
        image,
        f"{UNTIL_DOCKER_RUNS}"
        f" state=$(docker inspect --format {form} {MODEL_CONTAINER} 2>/dev/null);"
        f" [ \"$state\" = 'true {label}' ] && exit 0;"
        f" old=$(docker ps -aq --filter ancestor={shlex.quote(image)});"
        f" docker rm -f {MODEL_CONTAINER} $old >/dev/null 2>&1;"
        f" docker run --detach --name {MODEL_CONTAINER} --label dots_ocr={label}"
        f" --restart on-failure:1 {options} {shlex.quote(image)} >/dev/null",
    )


def python_of(shell: Shell, image: str) -> str:
    """The version of the image's python3, as 3.12."""
    command = f"docker run --rm --network none --entrypoint python3 {shlex.quote(image)}"
    return run_image(shell, image, f"{command} -c {shlex.quote(PRINT_VERSION)}").strip()


def run_image(shell: Shell, image: str, script: str) -> str:
    """What a script prints that runs a container of the image. Raises Failure, ConnectionLost."""
    done = shell.ask(script)
    if done.returncode:
        why = printable(done.stderr.decode("utf-8", "replace").strip())
        raise Failure(
            f"{image} does not run on {shell.name}: {why}",
            "set CONTAINER_IMAGE to an image that is there (docker images), with a python3",
        )
    return done.stdout.decode("utf-8", "replace")


def has_ended(container: Mapping[str, Any]) -> bool:
    """Whether the container is there and dead for good: docker starts it anew once."""
    return container.get("state") in ("exited", "dead")


def end_of(container: Mapping[str, Any]) -> str:
    """How the container ended, for people."""
    return (
        f"the model's container ended with {container['exit_code']};"
        f" the end of its log:\n{container['log']}"
    )
