# A worker VM's startup script, run as root at each boot. tools/lib/machines/gcp/workers.py puts
# above it the values (IMAGE, BUCKET, SCHEDULER_HOST, THREADS, ENDPOINT, GROUP, REGION, PROJECT,
# IDLE_MINUTES, READY_TIMEOUT, PEM) and the functions keep_token (network.sh) and start_model.
#
# It makes itself a systemd service: only a service is told at once when the VM is taken back, so
# that the pages in its hands are read elsewhere within seconds. The service starts the model,
# fetches our code from the bucket as soon as there is a scheduler, and reads pages for it. When
# nothing is left to read, it makes the group delete this VM. Otherwise the group would replace it.
set -u
home=/var/lib/dots-ocr
program=/usr/local/lib/dots-ocr/worker.sh
port=8786
polite_s=10  # seconds for a worker that is told to end; a VM that is taken back has 30
pause_s=5
reader=64321  # the account that runs our code here; it owns nothing
shortest_s=60 most_short=5  # a worker that ends so soon, so often in a row, is of no use

install_service() {
  [ "$0" -ef "$program" ] || install -D -m 700 "$0" "$program" # it holds a key
  cat >/etc/systemd/system/dots-ocr-worker.service <<UNIT
[Unit]
Description=Read pages for the scheduler of dots-ocr
After=docker.service network-online.target
Wants=docker.service network-online.target

[Service]
Environment=HOME=/root
EnvironmentFile=-/etc/environment
ExecStart=/bin/bash $program work
KillMode=mixed
TimeoutStopSec=20
UNIT
  systemctl disable --now dots-ocr-idle.timer 2>/dev/null # from the VM that the image was made of
  systemctl daemon-reload
  systemctl restart --no-block dots-ocr-worker.service
}

say() { echo "dots-ocr-worker: $*"; }

pause() { sleep "$1" & wait $!; } # unlike sleep alone, ends at once when we are told to end

seconds() { date +%s; }

scheduler_address() { # our own address towards the scheduler, if that can be reached
  python3 - "$SCHEDULER_HOST" "$port" 2>/dev/null <<'PYTHON'
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 5) as connection:
    print(connection.getsockname()[0])
PYTHON
}

model_answers() { curl --fail --silent --noproxy '*' --max-time 5 "$ENDPOINT/health" >/dev/null; }

model_ended() { # for good: docker itself restarts it once
  state=$(docker inspect --format '{{.State.Status}}' dots-ocr-model 2>/dev/null)
  [ "$state" = exited ] || [ "$state" = dead ]
}

copy() { # copy NAME…: from the bucket
  gcloud storage cp --quiet "${@/#/$BUCKET/fleet/}" "$home/fleet/" 2>"$home/fetch.log" ||
    { tail -n 3 "$home/fetch.log" >&2; return 1; }
}

is_signed() { # whether the list of sums is signed with the certificate that the VM gave us
  openssl x509 -in "$home/fleet.pem" -noout -pubkey >"$home/fleet.pub" &&
    openssl dgst -sha256 -verify "$home/fleet.pub" -signature sums.signature sums >/dev/null 2>&1
}

fetch() { # fetch our code if it is new, and unpack only what the VM has signed
  mkdir -p "$home/fleet" && cd "$home/fleet" || return 1
  copy sums sums.signature || return 1
  is_signed || { say "the code in $BUCKET/fleet is not signed by $SCHEDULER_HOST"; return 1; }
  cmp --silent sums "$home/unpacked" && return 0
  copy vm_side.tar packages.tar || return 1
  sha256sum --check --strict --status sums || { say "the code in $BUCKET/fleet differs"; return 1; }
  rm -rf "$home/unpacked" "$home/code"
  mkdir "$home/code" &&
    for name in vm_side packages; do
      tar --extract --file "$name.tar" --directory "$home/code" || return 1
    done &&
    cp sums "$home/unpacked"
}

read_pages() { # read_pages ADDRESS: until the scheduler, the model or the work is gone
  bash "$home/code/vm_side/machine/dask_worker.sh" "$home/code/vm_side" "$home/code/packages" \
    "$home/fleet.pem" "$IMAGE" "$SCHEDULER_HOST:$port" "$1" "$(hostname -s)" "$THREADS" \
    "$ENDPOINT" --rm --user "$reader:$reader" \
    --env LEAVE_FILE=/leave/now --volume "$home/leave:/leave" &
  worker=$!
  while kill -0 "$worker" 2>/dev/null; do
    pause 1
    if model_ended; then docker stop -t "$polite_s" dots-ocr-worker; fi
  done >/dev/null
  wait "$worker"
}

leave() { # leave WHY: make the group smaller by one; it deletes this VM
  say "leaving: $1"
  if gcloud compute instance-groups managed delete-instances "$GROUP" --region "$REGION" \
    --project "$PROJECT" --instances "$(hostname -s)" --quiet; then
    pause 600
  fi
  say "the group does not let it go; turning off"
  shutdown -h now
  exit 1
}

end() { # the VM is taken back or stopped
  docker stop -t "$polite_s" dots-ocr-worker >/dev/null 2>&1
  exit 0
}

work() {
  trap end TERM
  mkdir -p "$home/leave"
  rm -f "$home/leave/now"
  (umask 077 && echo "$PEM" >"$home/fleet.pem")
  chown "$reader:$reader" "$home/leave" "$home/fleet.pem"
  (keep_token)
  (start_model) || leave "its model cannot be started"
  # from the VM that the image was made of
  docker rm -f dots-ocr-scheduler dots-ocr-worker dots-ocr-job >/dev/null 2>&1
  useful=$(seconds) answered=$useful short=0
  while :; do
    [ ! -e "$home/leave/now" ] || leave "nothing is left to read"
    ! model_ended || leave "its model has ended"
    if address=$(scheduler_address) && fetch; then
      useful=$(seconds)
      if model_answers; then
        read_pages "$address"
        [ $(($(seconds) - useful)) -lt "$shortest_s" ] && short=$((short + 1)) || short=0
        useful=$(seconds) answered=$useful
        [ -e "$home/leave/now" ] || [ "$short" -lt "$most_short" ] ||
          leave "its worker does not work"
      elif [ $((useful - answered)) -gt "$READY_TIMEOUT" ]; then
        leave "its model does not answer"
      fi
    elif [ "$IDLE_MINUTES" -gt 0 ] && [ $(($(seconds) - useful)) -gt $((IDLE_MINUTES * 60)) ]; then
      leave "no scheduler for $IDLE_MINUTES minutes"
    fi
    pause "$pause_s"
  done
}

if [ "${1:-}" = work ]; then work; else install_service; fi
