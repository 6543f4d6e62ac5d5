"""make all with TARGET=gcp and TARGET=ssh: all pages home, and the machine off again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from rig import pages
from rig.cloud.cloud import Cloud
from rig.cloud.docker_image import ModelContainer
from rig.cloud.gce import GceServer
from rig.cloud.gcs import StorageRequest
from rig.cloud.toolkit import VM, CloudToolkit
from rig.command import Finished, wait_until
from rig.toolkit import files_below, statuses_in

LOADS_S = 10.0
MAKE_S = 600.0
ASKED = '"POST /v1/chat/completions HTTP/1.1" 28x28'


def make_all(kit: CloudToolkit) -> Finished:
    """`make all TARGET=gcp INPUT=… OUTPUT=…` as people type it."""
    given = (f"INPUT={kit.input}", f"OUTPUT={kit.output}", "TARGET=gcp")
    with kit.make("--silent", "all", *given) as job:
        return job.finish(MAKE_S)


def test_from_terminated_to_terminated(cloud: Cloud, image_tar: Path, tmp_path: Path) -> None:
    """Over ssh and through a bucket, at the same time, with a model that loads for ten seconds.

    The run over ssh uses what a user's run uses: packages from the index, and Google's gcloud.
    """
    with Cloud(tmp_path / "other") as other:
        kits = [
            CloudToolkit(cloud, tmp_path / "desk").with_all(),
            CloudToolkit(other, tmp_path / "other desk", bucket=True),
        ]
        for kit in kits:
            late = ModelContainer(startup_s=LOADS_S)
            kit.cloud.add_vm(VM, image_tar=image_tar, container=late)
            kit.write_pages(7)
        with ThreadPoolExecutor() as pool:
            ends = list(pool.map(make_all, kits))
            for kit, end in zip(kits, ends, strict=True):
                assert (end.code, end.out, end.err) == (0, "", ""), kit.knobs
                assert end.seconds > LOADS_S
                check_results(kit)
                check_calls(kit.gce)
        check_order_with_a_bucket(kits[1])
        for kit in kits:
            check_that_the_next_night_starts_nothing(kit)
        check_that_one_page_more_is_one(kits[1])


def test_the_machine_prepares_itself_while_the_model_loads(
    cloud: Cloud, image_tar: Path, tmp_path: Path
) -> None:
    """Meanwhile the bucket's pages arrive, and the model answers its slow first request."""
    kit = CloudToolkit(cloud, tmp_path, bucket=True)
    vm = cloud.add_vm(VM, image_tar=image_tar, container=ModelContainer(startup_s=5))
    names = kit.write_pages(2)
    for verb in ("upload", "start"):
        done = kit.run(verb)
        assert done.code == 0, done.err
    wait_until(lambda: files_below(kit.home("input")) == names)
    wait_until(lambda: ASKED in vm.run("docker logs dots-ocr-model 2>&1").stdout)
    assert kit.asked() == 0

    for name in names:
        (kit.input / name).unlink()
    for verb in ("upload", "clean", "process"):  # with an empty input
        done = kit.run(verb)
        assert done.code == 0, done.err
    assert not files_below(kit.home("input"))
    kit.knobs["BUCKET"] = "gs://nowhere"
    done = kit.run("process")
    assert done.code == 1
    assert "gs://nowhere" in done.err.partition("ended with 1")[2]


def check_that_one_page_more_is_one(kit: CloudToolkit) -> None:
    """Only the new page is sent and read. For files over ssh, see test_all_ssh.py."""
    pages.article(20, 99).save(kit.input / "new page.png")
    there, uploads, asked = inputs(kit), len(uploaded(kit)), kit.asked()
    end = make_all(kit)
    assert (end.code, end.err) == (0, "")
    check_results(kit)
    after = inputs(kit)
    assert {name: after[name] for name in there} == there
    assert after.keys() - there.keys() == {"new page.png"}
    assert (len(uploaded(kit)) - uploads, kit.asked() - asked) == (1, 1)


def check_that_the_next_night_starts_nothing(kit: CloudToolkit) -> None:
    """Nothing is new, so not even Google is asked."""
    before = len(kit.gce.calls)
    end = make_all(kit)
    assert (end.code, end.out, end.err, len(kit.gce.calls)) == (0, "", "", before)


def from_here(kit: CloudToolkit) -> list[StorageRequest]:
    """The requests to the bucket that came from this computer, and not from the VM."""
    here = kit.cloud.network.gateway
    return [one for one in kit.cloud.gcs.requests if one.client == here]


def uploaded(kit: CloudToolkit) -> list[datetime]:
    """The times at which this computer sent files."""
    return [one.at for one in from_here(kit) if one.path.startswith("/upload/")]


def inputs(kit: CloudToolkit) -> dict[str, tuple[int, int]]:
    """The files of the VM's input: the inode of each, and the time of its last change."""
    folder = kit.home("input")
    stats = {name: (folder / name).stat() for name in files_below(folder)}
    return {name: (stat.st_ino, stat.st_ctime_ns) for name, stat in stats.items()}


def check_results(kit: CloudToolkit) -> None:
    """Check that all pages have come home."""
    names = files_below(kit.input)
    assert statuses_in(kit.output) == dict.fromkeys(names, "ok")
    for name in names:
        page = kit.output / name.removesuffix(".png")
        assert (page / f"{page.name}.json").is_file() and (page / f"{page.name}.md").read_text()
    assert (kit.output / "report.html").is_file()
    assert not list(kit.output.rglob("*.part"))


def check_calls(gce: GceServer) -> None:
    """The VM was started once and stopped once, and nobody holds its lock any more."""
    names = [call.path.rpartition("/")[2] for call in gce.calls if call.method == "POST"]
    steps = ("setScheduling", "start", "stop")
    assert [name for name in names if name in steps] == list(steps)
    assert gce.status(VM) == "TERMINATED"
    assert "dots-ocr-lock" not in gce.metadata(VM)


def check_order_with_a_bucket(kit: CloudToolkit) -> None:
    """Pages are sent before the VM is on; the last results come after it is off."""
    sent = uploaded(kit)
    came = [one.at for one in from_here(kit) if one.path.startswith("/download/")]
    ends = {one["operationType"]: one for one in kit.gce.operations()}
    # and the mark which says that the bucket is ours
    assert len(sent) == len(files_below(kit.input)) + 1
    assert max(sent) < datetime.fromisoformat(ends["start"]["insertTime"])
    assert max(came) > datetime.fromisoformat(ends["stop"]["endTime"])
