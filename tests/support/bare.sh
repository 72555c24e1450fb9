#!/bin/bash
# bare: makes a minimal Debian 12 with nothing added and runs the two commands of the README in it.
#   tests/support/bare.sh [--only quickstart|test] [--keep] [--mirror URL] [FOLDER]
# Needs root, debootstrap and about 6 GB under FOLDER (a new one under /var/tmp unless given). The tracked files of
# the checkout are copied in, as a clone would bring them. --keep leaves the folder for a look inside.
# SPDX-License-Identifier: AGPL-3.0-or-later
set -eu -o pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../../scripts/lib/common.sh"

only='' keep=0 folder=''
# Where this machine's own packages come from.
# shellcheck disable=SC2016 # apt's own placeholders
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 2>/dev/null | head -n 1)
while [ $# -gt 0 ]; do
    case $1 in
    --only) only=$2 && shift ;;
    --mirror) mirror=$2 && shift ;;
    --keep) keep=1 ;;
    -h | --help) sed -n '2,5s/^# *//p' "$0" && exit 0 ;;
    -*) die "there is no option $1" ;;
    *) folder=$1 ;;
    esac
    shift
done
case $only in '' | quickstart | test) ;; *) die "--only takes quickstart or test" ;; esac
[ "$(id -u)" -eq 0 ] || die "debootstrap and chroot need root"
command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
[ -n "$mirror" ] || die "apt names no mirror of Debian 12 here: give one with --mirror"
[ -n "$folder" ] || folder=$(mktemp -d /var/tmp/platen-bare.XXXXXX)
mkdir -p "$folder"
need_room "$folder" 6000 "a bare Debian with every build in it"
root=$folder/debian

# What is mounted is taken down whatever happens.
# shellcheck disable=SC2317 # called by the trap
clean_up() {
    local mount
    for mount in dev/shm dev/pts dev proc sys; do
        umount -l "$root/$mount" 2>/dev/null || true
    done
    if [ "$keep" -eq 1 ]; then
        say "kept: $root"
    else
        rm -rf --one-file-system "$root"
        rmdir "$folder" 2>/dev/null || true
    fi
}
trap clean_up EXIT

say "a minimal Debian 12 in $root"
if [ ! -x "$root/usr/bin/apt-get" ]; then
    debootstrap --variant=minbase bookworm "$root" "$mirror" >"$folder/debootstrap.log" 2>&1 || {
        tail -n 5 "$folder/debootstrap.log" >&2
        die "debootstrap failed; its last lines are above"
    }
    rm -f "$folder/debootstrap.log"
fi
# The way to the mirrors is the machine's: name servers, and what apt was told about proxies.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
[ ! -f /etc/hosts ] || cp /etc/hosts "$root/etc/hosts"
apt-config dump 2>/dev/null | grep -iE '^Acquire::(http|https|ftp)::' \
    >"$root/etc/apt/apt.conf.d/90host" || rm -f "$root/etc/apt/apt.conf.d/90host"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
for node in null zero full random urandom tty; do
    cp -a "/dev/$node" "$root/dev/$node"
done
ln -sf pts/ptmx "$root/dev/ptmx"
ln -sf /proc/self/fd "$root/dev/fd"
ln -sf /proc/self/fd/0 "$root/dev/stdin"
ln -sf /proc/self/fd/1 "$root/dev/stdout"
ln -sf /proc/self/fd/2 "$root/dev/stderr"

say "the checkout goes to /root/platen in it"
rm -rf "$root/root/platen"
mkdir -p "$root/root/platen"
git -C "$top" ls-files -z | (cd "$top" && tar --null -T - -cf -) | tar -xf - -C "$root/root/platen"

failed=0
for name in ${only:-quickstart test}; do
    say "$name, as root, with an empty environment"
    began=$SECONDS
    if env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
        chroot "$root" /bin/bash -c "cd /root/platen && scripts/$name"; then
        say "$name passed in $((SECONDS - began)) s"
    else
        say "$name FAILED after $((SECONDS - began)) s"
        failed=1
    fi
done
exit "$failed"
