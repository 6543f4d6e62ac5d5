#!/usr/bin/env bash
# What the VM does for its workers: it gives them our code, runs the scheduler, and reads pages too.
#
#   fleet.sh IMAGE BUCKET ADDRESS THREADS ENDPOINT    it is safe to run it twice
#
# The code goes to BUCKET/fleet before the scheduler is there: a worker fetches it when it sees one.
# Others may write there, so the code is signed with the fleet's key, and workers check that.
# If code, image or options have changed, both containers are made anew. Then the workers look again
# for code.
set -eu
scheduler=dots-ocr-scheduler worker=dots-ocr-worker port=8786
image=$1 bucket=$2 address=$3 threads=$4 endpoint=$5
state=$HOME/.dots-ocr
mkdir -p "$state/fleet"
exec 7>"$state/fleet.lock"
flock 7

pack() { # pack FOLDER NAME: the same content makes the same file
  tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=a+rX,go-w \
    --exclude=__pycache__ --file "$state/fleet/$2.tar" --directory "$1" "$2"
}
pack "$HOME" vm_side
pack "$state" packages
cd "$state/fleet"
sha256sum vm_side.tar packages.tar >sums
key=$state/fleet.pem
openssl x509 -in "$key" -noout -pubkey >"$state/fleet.pub"
openssl dgst -sha256 -verify "$state/fleet.pub" -signature sums.signature sums >/dev/null 2>&1 ||
  openssl dgst -sha256 -sign "$key" -out sums.signature sums # each signature differs
CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED=False \
  gcloud storage rsync --quiet --checksums-only . "$bucket/fleet" \
  >"$state/fleet.log" 2>&1 || { tail -n 5 "$state/fleet.log" >&2; exit 1; }

id=$(docker image inspect --format '{{.Id}}' "$image")
label=$({ echo "$id $*"; cat sums "$key"; } | sha256sum | cut -c 1-16)
is_up() {
  [ "$(docker inspect --format '{{.State.Running}} {{.Config.Labels.dots_ocr}}' "$1" 2>&1)" = \
    "true $label" ]
}
if is_up "$scheduler" && is_up "$worker"; then exit 0; fi

docker rm -f "$scheduler" "$worker" >/dev/null 2>&1 || :
common="--detach --label dots_ocr=$label --restart unless-stopped --user $(id -u):$(id -g)"
# shellcheck disable=SC2086 # these are several options
docker run --name "$scheduler" $common --network host \
  --env HOME=/tmp --env PYTHONPATH=/packages:/vm_side --env PYTHONDONTWRITEBYTECODE=1 \
  --env DASK_CONFIG=/vm_side/machine/dask.yaml --volume "$key:/fleet.pem:ro" \
  --volume "$HOME/vm_side:/vm_side:ro" --volume "$state/packages:/packages:ro" --workdir /tmp \
  --entrypoint python3 "$image" -m distributed.cli.dask_scheduler \
  --protocol tls --host "$address" --port "$port" --dashboard-address 127.0.0.1:8787 >/dev/null
# shellcheck disable=SC2086
bash "$HOME/vm_side/machine/dask_worker.sh" "$HOME/vm_side" "$state/packages" "$key" "$image" \
  "$address:$port" "$address" head "$threads" "$endpoint" $common >/dev/null
