"""The model server's container on a machine with docker: its image, its start and its end.

The scripts that run there are shell, in the home folder of the machine's user.
"""

import hashlib
import itertools
import shlex
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from contract import KEY, KEY_FILE
from lib.console import Failure, is_watched
from lib.machines.ssh.shell import CONNECTION_LOST, SEEN, ConnectionLost, Shell, script_of

MODEL_CONTAINER = "dots-ocr-model"
LABEL = "dots_ocr"  # all containers that we start have it
TAKEN = 3  # the exit code of port_script
DOCKER_IS_UP = (  # after a boot sshd may be there before docker
    "for i in $(seq 60); do docker version 2>&1 | grep -q 'Cannot connect' || break; sleep 1; done;"
)
CONTAINER_FOLDER = "vm_side/container"


def python_script(image: str) -> str:
    """Return shell that prints the version of the image's Python, such as 3.12."""
    return (
        f"docker run --rm --label {LABEL}=python --network none"
        f" --entrypoint python3 {shlex.quote(image)}"
        " -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])'"
    )


def build_script(image: str, parts: Mapping[str, str], watched: bool) -> str:
    """Return shell that builds vm_side/container with these parts, docker's build arguments.

    It skips what is built already.

    A build takes longer than an idle machine stays on. So the shell touches SEEN until the build
    ends, and no longer, because the command that started it may be gone.
    """
    arguments = [word for key, value in parts.items() for word in ("--build-arg", f"{key}={value}")]
    quiet = [] if watched else ["--quiet"]
    build = script_of("docker", "build", *quiet, "-t", image, *arguments, CONTAINER_FOLDER)
    return (
        f"{DOCKER_IS_UP} (while kill -0 $$ 2>/dev/null; do touch {SEEN}; sleep 30; done)"
        f" >/dev/null 2>&1 & {build}{'' if watched else ' >/dev/null'};"
        " code=$?; kill $!; exit $code"
    )


def start_script(image: str, options: str) -> str:
    """Return shell that starts the container, unless it runs with this image and these options."""
    label = hashlib.sha256(f"{image} {options}".encode()).hexdigest()[:16]
    form = "{{.State.Running}} {{.Config.Labels.dots_ocr}}"
    quoted = shlex.quote(image)
    return (
        f"{DOCKER_IS_UP}"
        f" id=$(docker image inspect --format '{{{{.Id}}}}' {quoted} 2>/dev/null);"
        f" label={label}.$id;"
        f" state=$(docker inspect --format {shlex.quote(form)} {MODEL_CONTAINER} 2>/dev/null);"
        ' [ "$state" = "true $label" ] && exit 0;'
        f" docker rm -f {MODEL_CONTAINER} >/dev/null 2>&1;"
        f' docker run --detach --name {MODEL_CONTAINER} --label "{LABEL}=$label"'
        f" --restart on-failure:1 {options} {quoted} >/dev/null"
    )


def ports_of(options: str, endpoint: str) -> list[int]:
    """Return the machine's ports that the container will need, by these options of docker run."""
    try:
        words = shlex.split(options)
    except ValueError:  # docker will say what is wrong
        return []
    pairs = [*itertools.pairwise(words), *(word.partition("=")[::2] for word in words)]
    if ("--network", "host") in pairs or ("--net", "host") in pairs:
        return [urllib.parse.urlsplit(endpoint).port or 80]
    published = [value for name, value in pairs if name in ("-p", "--publish")]
    published += [word[2:] for word in words if word.startswith("-p") and word[2:3].isdigit()]
    wanted = [text.split("/")[0].split(":") for text in published]
    return [int(parts[-2]) for parts in wanted if len(parts) > 1 and parts[-2].isdecimal()]


def port_script(ports: Sequence[int]) -> str:
    """Return shell that prints one of these ports, and ends with TAKEN, if a server listens there.

    If our own container runs, no port is looked at: that container will make way.
    """
    return (
        f"{DOCKER_IS_UP}"
        f" [ \"$(docker inspect --format '{{{{.State.Running}}}}' {MODEL_CONTAINER} 2>/dev/null)\""
        " = true ] && exit 0;"
        f" for port in {' '.join(map(str, ports))}; do"
        ' (exec bash -c "exec 3<>/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue;'
        " who=$(docker ps --filter publish=$port --format '{{.Names}} ({{.Image}})');"
        f' echo "$port $who"; exit {TAKEN}; done; :'
    )


def refuse_taken_port(shell: Shell, options: str, endpoint: str) -> None:
    """Raise Failure if a container or server that is not ours has a port that the model needs."""
    ports = ports_of(options, endpoint)
    done = shell.ask(port_script(ports)) if ports else None
    if done is None or done.returncode != TAKEN:
        return
    port, _, who = done.stdout.decode("utf-8", "replace").strip().partition(" ")
    name = who.partition(" ")[0]
    raise Failure(
        f"port {port} of {shell.name} is taken by {f'the container {who}' if who else 'a server'}"
        " that is not ours",
        f"{f'docker stop {name} there' if who else 'end it'};"
        " or give another port in CONTAINER_ARGS and ENDPOINT",
    )


def run_image(shell: Shell, image: str, script: str) -> str:
    """Run a script that runs the image; return what it prints. Raises Failure, ConnectionLost."""
    done = shell.ask(script)
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip()
        raise Failure(
            f"{image} does not run on {shell.name}: {why}",
            "make image builds it; or correct CONTAINER_IMAGE or CONTAINER_ARGS",
        )
    return done.stdout.decode("utf-8", "replace")


def build_image(shell: Shell, image: str, parts: Mapping[str, str]) -> None:
    """Build the image, in our terminal. Raises Failure, ConnectionLost."""
    code = shell.follow(build_script(image, parts, is_watched()))
    if code == CONNECTION_LOST:
        raise ConnectionLost(shell.name, "the build may have ended; make image goes on")
    if code:
        raise Failure(
            f"docker build ended with {code}: {image} was not built; the machine is on",
            "fix what it says, then make image goes on; make stop turns the machine off",
        )


def refuse_without_key(fault: str) -> None:
    """Raise Failure if the model server does not let us in: waiting would not fix it."""
    if fault.startswith(("HTTP 401", "HTTP 403")):
        raise Failure(
            f"the model server needs its key ({fault})",
            f"give it in the variable {KEY}, or in a file that {KEY_FILE} names",
        )


def has_ended(container: Mapping[str, Any]) -> bool:
    """Whether the container exists and is dead for good: docker starts it again only once."""
    return container.get("state") in ("exited", "dead")


def end_of(container: Mapping[str, Any]) -> str:
    """Describe how the container ended, for people."""
    return (
        f"the model's container ended with {container['exit_code']};"
        f" the end of its log:\n{container['log']}"
    )


def describe_start(start: Mapping[str, Any]) -> str:
    """Describe how a model's start goes, or how long it took, for people; empty if not known."""
    parts, before = lengths(start.get("parts")), lengths(start.get("before"))
    now = start.get("now")
    told = [f"{name} {seconds:.0f} s" for name, seconds in parts.items()]
    total_s = lengths(start).get("age_s", sum(parts.values()))
    if now:
        usual = f", {before[now]:.0f} s the last time" if now in before else ""
        told.append(f"now {now}{usual}")
    return f"{total_s:.0f} s: {', '.join(told)}" if told else ""


def lengths(parts: Any) -> dict[str, float]:
    """Return the seconds of each part of a start, as the machine tells them."""
    parts = parts if isinstance(parts, dict) else {}
    return {name: seconds for name, seconds in parts.items() if isinstance(seconds, int | float)}


def gpu_rows(memory: Sequence[str]) -> dict[str, str]:
    """Return the memory of each GPU, as rows of a table."""
    if len(memory) <= 1:
        return {"GPU memory": "".join(memory) or "-"}
    return {f"GPU {number} memory": text for number, text in enumerate(memory)}
