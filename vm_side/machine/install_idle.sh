#!/bin/sh
# Install the idle watchdog as a systemd timer: sudo install_idle.sh HOME MINUTES ENDPOINT
# MINUTES 0 takes it away.
set -eu
home=$1 minutes=$2 endpoint=$3
units=/etc/systemd/system
if [ "$minutes" = 0 ]; then
  systemctl disable --now dots-ocr-idle.timer 2>/dev/null || : # not installed: nothing to take away
  exit 0
fi
install -D -m 755 "$home/vm_side/machine/idle.sh" /usr/local/lib/dots-ocr/idle.sh
cat >"$units/dots-ocr-idle.service" <<UNIT
[Unit]
Description=Turn the machine off when dots-ocr has been idle

[Service]
Type=oneshot
ExecStart=/usr/local/lib/dots-ocr/idle.sh $home $minutes $endpoint
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
systemctl daemon-reload
systemctl enable --now dots-ocr-idle.timer
