#!/bin/bash
# The first process in the namespaces of a VM: makes its root, then becomes its systemd.
# usage: vm_boot.sh DISK HOSTNAME, and a line "ADDRESS GATEWAY" on stdin when eth0 is there
set -eu
PATH=$PATH:/usr/sbin:/sbin # after `su`, root's PATH lacks these
umask 022 # a verb in the test's own process may have set a stricter one
disk=$1 name=$2
root=$disk/root
read -r address gateway

mount -t overlay overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" "$root"
for lasting in home var/lib/docker var/lib/containerd; do
    mount --bind "$disk/lasting/$lasting" "$root/$lasting"
done

mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
trigger=$root/proc/sysrq-trigger
[ ! -e "$trigger" ] || mount --bind /dev/null "$trigger"

mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
while read -r controllers; do # the hierarchies of the machine below, each beginning at our own group
    folder=$root/sys/fs/cgroup/${controllers#name=}
    mkdir "$folder"
    case $controllers in
    unified) mount -t cgroup2 cgroup2 "$folder" ;;
    name=*) mount -t cgroup -o "none,$controllers" cgroup "$folder" ;;
    *) mount -t cgroup -o "$controllers" cgroup "$folder" ;;
    esac
done <"$disk/cgroups"
mount -o remount,ro "$root/sys/fs/cgroup"

mount -t tmpfs -o mode=755 tmpfs "$root/dev"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$root/dev/"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do
    ln -s "/proc/self/fd/${number%:*}" "$root/dev/${number#*:}"
done
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/run"

hostname "$name"
ip link set lo up
ip addr add "$address/24" dev eth0
ip link set eth0 up
ip route add default via "$gateway"

mkdir -p "$root/mnt/host"
cd "$root"
pivot_root . mnt/host
umount -l /mnt/host
# the clock, the kernel's modules and its ports belong to the machine below
exec env -i container=rig PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio \
    /lib/systemd/systemd --unit=multi-user.target </dev/null
