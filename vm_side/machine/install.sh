#!/bin/sh
# As root: install systemd units for what the machine does by itself.
# - dots-ocr-model: after a boot the model's container runs again, and loads before anybody asks.
# - dots-ocr-network: before that, the model's container is cut off from this machine's account.
set -eu
units=/etc/systemd/system

cat >"$units/dots-ocr-model.service" <<UNIT
[Unit]
Description=Start the model of dots-ocr that ran before
After=docker.service
Requires=docker.service

[Service]
Type=oneshot
ExecStart=-docker start dots-ocr-model

[Install]
WantedBy=multi-user.target
UNIT
cat >"$units/dots-ocr-network.service" <<UNIT
[Unit]
Description=Keep the containers of dots-ocr from this machine's account
Before=dots-ocr-model.service

[Service]
Type=oneshot
ExecStart=/bin/sh /usr/local/lib/dots-ocr/network.sh

[Install]
WantedBy=multi-user.target
UNIT
install -D -m 755 "$(dirname "$0")/network.sh" /usr/local/lib/dots-ocr/network.sh
systemctl daemon-reload
systemctl enable dots-ocr-model.service
systemctl enable --now dots-ocr-network.service
