#!/usr/bin/env bash
# The job on the machine: read the pages of one folder of our home into another one with
# process_all_images.py. It goes on even if nobody watches.
#
#   job.sh IMAGE BUCKET INPUT RESULT ARGUMENT…    BUCKET gets the results, gs://… or empty; the rest
#                             goes to the command, which takes the last of two --input or --output
#
# With `--state /state` other machines write the results into the bucket. Only the manifest grows
# here, in a folder for that bucket, and only the manifest is copied.
#
# The command runs in a container of the model's image, because that has a suitable Python, while a
# bare GPU image may lack pip. It is not the model's own container: if the model dies, the job must
# not die with it. Only the job holds ~/.dots-ocr/job.lock. How it ended is in job.json.
set -u
state=$HOME/.dots-ocr image=$1 bucket=$2 input=$3 result=$4
shift 4
mkdir -p "$state" "$HOME/$input" "$HOME/$result"
exec 9>"$state/job.lock"
flock --timeout 5 9 || { echo "another job runs" >&2; exit 75; } # a look at it holds it briefly
exec >"$state/job.log" 2>&1

started=$(date +%s)
write_state() { # write_state EXIT_CODE_OR_null
  printf '{"pid": %s, "started": %s, "ended": %s, "code": %s}\n' $$ "$started" "$2" "$1" \
    >"$state/job.json.part" && mv "$state/job.json.part" "$state/job.json" # the disk may be full
}
write_state null null

container=dots-ocr-job
docker rm -f "$container" >/dev/null 2>&1

fleet=$state/fleet-$(printf %s "$bucket" | sha256sum | cut -c 1-8)
mkdir -p "$fleet"

copy_all() { # the results that have changed
  gcloud storage rsync --quiet --recursive --exclude '(^|.*/)\..*|.*\.part$' \
    "$HOME/$result" "$bucket/$result"
}

copy_manifest() {
  for name in manifest.jsonl summary.json; do
    [ ! -e "$fleet/$name" ] || gcloud storage cp --quiet "$fleet/$name" "$bucket/$result/" || return
  done
}

case " $* " in *" --state /state "*) copy=copy_manifest ;; *) copy=copy_all ;; esac
copy_results() { # gcloud's words are shown only if it fails
  $copy >"$state/copy.log" 2>&1 || { tail -n 5 "$state/copy.log" >&2; return 1; }
}

files=()
add_file() { # add_file VARIABLE NAME: by file, since all users can read the arguments of a process
  [ ! -s "$state/$2" ] || files+=(--env "$1=/$2" --volume "$state/$2:/$2:ro")
}
add_file API_KEY_FILE api-key
add_file PDF_PASSWORD_FILE pdf-password
add_file CHECKS checks.jsonl
with_fleet=()
case " $* " in
  *" --scheduler "*)
    with_fleet=(--env DASK_CONFIG=/vm_side/machine/dask.yaml)
    with_fleet+=(--volume "$state/fleet.pem:/fleet.pem:ro")
    ;;
esac
read -ra limit < <(bash "$(dirname "$0")/memory_limit.sh") || limit=()

# To end the job early: docker stop dots-ocr-job
docker run --name "$container" --label dots_ocr=job --stop-signal TERM \
  --network host --user "$(id -u):$(id -g)" \
  ${limit[@]+"${limit[@]}"} \
  --env HOME=/tmp --env PYTHONPATH=/packages --env PYTHONDONTWRITEBYTECODE=1 \
  --env STORAGE_EMULATOR_HOST ${files[@]+"${files[@]}"} ${with_fleet[@]+"${with_fleet[@]}"} \
  --volume "$HOME/vm_side:/vm_side:ro" --volume "$state/packages:/packages:ro" \
  --volume "$HOME/$input:/input:ro" --volume "$HOME/$result:/result" --volume "$fleet:/state" \
  --entrypoint python3 "$image" \
  /vm_side/process_all_images.py --input /input --output /result "$@" &
job=$!

if [ -n "$bucket" ]; then # copy while the job runs, so that few results are left at its end
  seconds=0
  while kill -0 "$job" 2>/dev/null; do
    sleep 1
    [ $((++seconds % 15)) -eq 0 ] && copy_results
  done
fi
wait "$job"; code=$?
[ -z "$bucket" ] || copy_results || code=1
docker rm -f "$container" >/dev/null 2>&1
rm -f "$state/checks.jsonl" # it has texts of pages, and make clean does not know it
write_state "$code" "$(date +%s)"
exit "$code"
