# common: what the scripts share: one voice, packages, room on the disk. Sourced, never run.
# shellcheck shell=bash
# SPDX-License-Identifier: AGPL-3.0-or-later

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
script=$(basename "$0")
export LC_ALL=C.UTF-8

say() { printf '== %s\n' "$*"; }

# One clear line, and out.
die() {
    printf '%s: %s\n' "$script" "$*" >&2
    exit 1
}

# Runs a command as root: as it is, or through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo "$@"
    else
        return 1
    fi
}

# need_packages PART...: installs what is missing of those parts of lib/packages, and says what.
need_packages() {
    local parts=" $* " part package missing=() log
    while read -r part package _; do
        case "$parts" in *" $part "*) ;; *) continue ;; esac
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            missing+=("$package")
    done < <(grep -v '^ *#' "$top/scripts/lib/packages" | grep .)
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        die "this is not Debian (no apt-get); install these by its own means: ${missing[*]}"
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    as_root true || die "packages are missing and neither root nor sudo is at hand: ${missing[*]}"
    log=$(mktemp)
    if ! { as_root apt-get update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
            "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        die "apt-get could not install the packages; its last lines are above"
    fi
    rm -f "$log"
}

# need_room FOLDER MEGABYTES WHAT-FOR
need_room() {
    local free
    free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    [ "${free:-0}" -ge "$2" ] ||
        die "no room: $3 needs $2 MB under $1 and ${free:-0} MB are free"
}

# build_preset PRESET [TARGET...]: configures and builds, quietly unless it fails.
build_preset() {
    local preset=$1 log
    shift
    mkdir -p "$top/build"
    log=$top/build/$preset.log
    (cd "$top" && cmake --preset "$preset" && cmake --build "build/$preset" ${1+--target "$@"}) \
        >"$log" 2>&1 || {
        grep -E 'error|FAILED|Error' "$log" | head -n 20 >&2
        printf '%s: the %s build failed; all of it is in %s\n' "$script" "$preset" "$log" >&2
        return 1
    }
}
