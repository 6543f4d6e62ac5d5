# The guard of a VM: it turns the VM off when nothing has happened for IDLE minutes, or LONGEST
# minutes after it came on, even if it works. tools/lib/machines/gcp/guard.py puts the values above
# (IDLE, LONGEST, ENDPOINT; 0 means never).
#
#   guard.sh         install it, as root: as the startup script of each boot, before anybody has
#                    logged in; and by ssh, if the VM was already on
#   guard.sh look    what its timer runs every minute
#
# It needs no cloud permission: a VM that is off is not billed. Something happens when a job runs,
# pages come from the bucket, the model makes progress with requests, our client does something, or
# somebody types in a terminal. What only looks alive does not count: an open connection, a prompt,
# a program that prints, a request that is stuck.
set -u
program=/usr/local/lib/dots-ocr/guard.sh
units=/etc/systemd/system
run=/run/dots-ocr # of this boot; the times of its files tell when something happened
gap=3             # minutes without a look: the VM was off, or slept

recent() { # recent MINUTES FILE…: whether one of the files was touched in these minutes
  minutes=$1
  shift
  [ -n "$(find "$@" -mmin "-$minutes" 2>/dev/null)" ]
}

typed() { # typing changes a terminal's access time; printing changes another of its times
  [ -n "$(find /dev/pts -name '[0-9]*' -amin "-$IDLE" 2>/dev/null)" ]
}

held() { # held LOCK…: whether somebody holds one of them
  for lock; do
    [ -e "$lock" ] && ! flock --nonblock "$lock" true && return 0
  done
  return 1
}

model_works() { # whether the model's counts have changed since the last look
  python3 - "$ENDPOINT" "$run/model" /home/*/.dots-ocr/api-key <<'PYTHON'
import os, re, sys, urllib.request
endpoint, before, *keys = sys.argv[1:]
request = urllib.request.Request(endpoint + "/metrics")
for key in filter(os.path.exists, keys):
    request.add_header("Authorization", "Bearer " + open(key).read().strip())
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def total(names, text):
    found = re.findall(rf"^vllm:(?:{names})(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.M)
    return sum(map(float, found)) if found else None
try:
    text = opener.open(request, timeout=5).read().decode("utf-8", "replace")
    running = total("num_requests_running", text) or 0
    tokens = total("prompt_tokens_total|generation_tokens_total", text)
except (OSError, ValueError):
    sys.exit(1)
now = f"{running:g} {tokens}"
last = open(before).read() if os.path.exists(before) else f"0 {tokens}"
open(before, "w").write(now)
cannot_tell = running > 0 and tokens is None
sys.exit(0 if now != last or cannot_tell else 1)
PYTHON
}

off() {
  logger "dots-ocr: $1, turning off" 2>/dev/null
  shutdown -h now
}

look() {
  mkdir -p "$run"
  recent "$gap" "$run/looked" || touch "$run/on" "$run/worked" # nobody could use it before
  touch "$run/looked"
  if [ "$LONGEST" -gt 0 ] && ! recent "$LONGEST" "$run/on"; then
    off "on for $LONGEST minutes"
  elif [ "$IDLE" -eq 0 ]; then
    :
  elif held /home/*/.dots-ocr/job.lock /home/*/.dots-ocr/input.lock || model_works; then
    touch "$run/worked"
  elif ! recent "$IDLE" "$run/worked" /home/*/.dots-ocr/seen && ! typed; then
    off "idle for $IDLE minutes"
  fi
}

install_guard() {
  install -D -m 755 "$0" "$program.part" || exit 1
  mv "$program.part" "$program"
  cat >"$units/dots-ocr-idle.service" <<UNIT
[Unit]
Description=Turn the VM off when dots-ocr has been idle, or has been on for too long

[Service]
Type=oneshot
ExecStart=/bin/sh $program look
TimeoutStartSec=40
UNIT
  cat >"$units/dots-ocr-idle.timer" <<UNIT
[Unit]
Description=Look every minute whether dots-ocr is idle

[Timer]
OnBootSec=10
OnUnitActiveSec=60
AccuracySec=5

[Install]
WantedBy=timers.target
UNIT
  systemctl daemon-reload || exit 1
  if [ "$IDLE" -eq 0 ] && [ "$LONGEST" -eq 0 ]; then
    systemctl disable --now dots-ocr-idle.timer
  else
    systemctl enable --now dots-ocr-idle.timer
  fi
}

if [ "${1:-}" = look ]; then look; else install_guard; fi
