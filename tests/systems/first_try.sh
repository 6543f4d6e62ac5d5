#!/usr/bin/env bash
# What a new user does first, in a bare system with nothing but make, git and python3-venv:
#
#   sudo bash tests/systems/first_try.sh trixie     # Debian 13
#   sudo bash tests/systems/first_try.sh noble      # Ubuntu 24.04
#
# A mirror may follow, in place of the one that debootstrap knows for the system. Needs root,
# debootstrap, the network, 3 GB of disk and about ten minutes. The commit that is checked out is
# tried; KEPT=folder keeps the system there, and uses it if it is there already.
set -euo pipefail

suite=${1:?which system: trixie, bookworm, noble, …}
mirror=${2:-}
project=$(cd "$(dirname "$0")/../.." && pwd)
root=${KEPT:-$(mktemp -d)}
[ -n "${KEPT:-}" ] || trap 'rm -rf --one-file-system "$root" "$root.log"' EXIT

[ -d "$root/home" ] || debootstrap --variant=minbase --include=ca-certificates,git,make,python3-venv \
  "$suite" "$root" ${mirror:+"$mirror"} >"$root.log" || { tail "$root.log"; exit 1; }

# The network as it is here
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

chroot "$root" id kim >/dev/null 2>&1 || chroot "$root" useradd --create-home kim
rm -rf "$root/home/kim/toolkit"
git clone --quiet --no-hardlinks "$project" "$root/home/kim/toolkit"
chroot "$root" chown -R kim: /home/kim

try='cd ~/toolkit
for words in "all INPUT=samples TARGET=local" test-quick; do
  echo "\$ make $words"; began=$SECONDS; code=0
  make $words || code=$?
  echo "exit code $code after $((SECONDS - began)) s"
  [ "$code" = 0 ] || exit "$code"
done'

# What is mounted and what runs in there ends with the command
unshare --mount --pid --fork bash -c '
  mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" || exit
  exec chroot --userspec=kim "$1" /usr/bin/env -i HOME=/home/kim LANG=C.UTF-8 PATH=/usr/bin:/bin \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt bash -c "$2"
' - "$root" "$try"
