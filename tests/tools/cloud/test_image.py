"""make image: the Dockerfile, built by a real docker on a machine that is reached by ssh."""

import re
from pathlib import Path

from rig.cloud.docker_image import NAME
from rig.cloud.gce import GceServer
from rig.cloud.gce_errors import quota_error
from rig.cloud.ssh_toolkit import SshToolkit
from rig.cloud.toolkit import VM, GceToolkit
from rig.cloud.vm import Vm
from rig.toolkit import ROOT

DOCKERFILE = (ROOT / "vm_side/container/Dockerfile").read_text()
COMMIT = "0123abc" + 33 * "f"
HF = '#!/bin/sh\nmkdir -p /model/.cache && echo "$*" >/model/config.json\n'
WRITE = (
    "import os, site, sys; open('/bin/hf', 'w').write(sys.stdin.read());"
    " os.chmod('/bin/hf', 0o755); folder = site.getsitepackages()[0];"
    " os.makedirs(folder); os.chdir(folder);"
    " open('package.py', 'w').write('x = 1'); open('template.py', 'w').write('{{ x }} =')"
)
# python -c itself writes no cache
COMPILED = "import os, package as it; print(os.path.isfile(it.__cached__))"
MADE = "docker image inspect --format '{{.Id}} {{json .Config.Entrypoint}}' made:here"


def give_base(vm: Vm) -> None:
    """Give the machine a stand-in for vLLM's image, because it cannot reach a registry."""
    (base,) = re.findall(r"^ARG CONTAINER_BASE=(\S+)$", DOCKERFILE, re.MULTILINE)
    vm.run(f'docker run -i --name base --entrypoint python3 {NAME} -c "{WRITE}"', stdin=HF)
    vm.run(f"docker commit base {base} && docker rm base")


def test_an_image_is_built_on_the_machine(box: Vm, tmp_path: Path) -> None:
    knobs = {"CONTAINER_IMAGE": "made:here", "MODEL_ID": "org/model", "MODEL_REVISION": COMMIT}
    kit = SshToolkit(box, tmp_path / "desk", **knobs)
    end = kit.run_here("start")
    assert end.code == 1
    assert "made:here does not run on box: Unable to find image" in end.err
    assert "→ make image builds it" in end.err

    end = kit.run_here("image")
    assert (end.code, end.out) == (1, "")
    assert "vllm/vllm-openai" in end.err  # docker's own message: it cannot be fetched
    assert "made:here was not built; the machine is on" in end.err

    give_base(box)
    end = kit.run_here("image")
    assert (end.code, end.out, end.err) == (0, "", "")
    made = kit.on_vm(MADE)
    assert made.endswith('["bash","/serve.sh"]\n')
    run = "docker run --rm --network none --entrypoint"
    asked = kit.on_vm(f"{run} cat made:here /model/config.json")
    assert asked == f"download org/model --revision {COMMIT} --local-dir /model\n"
    assert ".cache" not in kit.on_vm(f"{run} ls made:here -a /model")
    assert kit.on_vm(f"{run} python3 made:here -B -c '{COMPILED}'") == "True\n"
    end = kit.run_here("image")
    assert (end.code, end.err) == (0, "")
    assert kit.on_vm(MADE) == made  # there was nothing new to do


def test_it_turns_a_vm_on(gce: GceServer, tmp_path: Path) -> None:
    """It sets the guard and the longest run, as a start does, and reports what prevents it."""
    gce.add_instance(VM)
    gce.fail_start(quota_error())
    kit = GceToolkit(gce, tmp_path, MODEL_REVISION=COMMIT)
    end = kit.run_here("image")
    assert (end.code, end.out) == (1, "")
    assert "quota: " in end.err
    assert kit.calls == ["setMetadata", "setScheduling", "start"]


def test_weights_without_a_commit_are_a_matter_of_usage(gce: GceServer, tmp_path: Path) -> None:
    """The weights' owner could change the code that we run; nothing is turned on in this case."""
    gce.add_instance(VM)
    kit = GceToolkit(gce, tmp_path)
    for revision, said in (
        ("", "huggingface.co/rednote-hilab/dots.ocr/commits"),
        ("main", "40 hex"),
    ):
        kit.knobs["MODEL_REVISION"] = revision
        end = kit.run_here("image")
        assert (end.code, end.out) == (2, ""), end.err
        assert "MODEL_REVISION" in end.err and said in end.err
    kit.knobs |= {"MODEL_REVISION": COMMIT, "MODEL_ID": "org/model@main"}
    assert kit.run_here("image").code == 2
    assert not gce.calls
