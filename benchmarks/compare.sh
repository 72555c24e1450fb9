#!/bin/bash
# compare: runs command A against command B, interleaved, and prints what came of it as JSON.
#   benchmarks/compare.sh [-n ROUNDS] [-u UNITS] 'COMMAND A' 'COMMAND B'
# ROUNDS of each (9 unless given), after one of each that does not count. With UNITS (pages, say) times are also given per
# unit. Interleaving makes both meet the same noise of the machine; compare the medians, and trust them when the spread
# (p90 / p10) is small. Commands run by bash -c with their output thrown away; one that fails ends the comparison.
# SPDX-License-Identifier: AGPL-3.0-or-later
set -eu

rounds=9 units=1
while getopts 'n:u:h' option; do
    case $option in
    n) rounds=$OPTARG ;;
    u) units=$OPTARG ;;
    h) sed -n '2,6s/^# *//p' "$0" && exit 0 ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -eq 2 ] || { echo "compare.sh: two commands are needed, see -h" >&2 && exit 2; }

times=$(mktemp -d)
trap 'rm -rf "$times"' EXIT
run() { # run NAME COMMAND COUNTS
    local began=${EPOCHREALTIME/./}
    bash -c "$2" >/dev/null 2>"$times/error" || {
        echo "compare.sh: $1 failed: $(tail -n 1 "$times/error")" >&2
        exit 1
    }
    [ "$3" -eq 0 ] || echo $((${EPOCHREALTIME/./} - began)) >>"$times/$1"
}
for ((round = 0; round <= rounds; round++)); do
    run a "$1" "$round"
    run b "$2" "$round"
done
row() { # row NAME COMMAND
    sort -n "$times/$1" | awk -v name="$1" -v command="$2" -v units="$units" '
        { t[NR] = $1 / 1000 }
        function at(q) { i = int(q * (NR - 1) + 0.5) + 1; return t[i] }
        END {
            gsub(/["\\]/, "\\\\&", command)
            printf "  \"%s\": {\"command\": \"%s\", \"median_ms\": %.3f, \"per_unit_ms\": %.4f, ", name, command, at(0.5), at(0.5) / units
            printf "\"least_ms\": %.3f, \"p99_ms\": %.3f, \"spread\": %.2f}", t[1], at(0.99), at(0.9) / at(0.1)
        }'
}
top=$(cd "$(dirname "$0")/.." && pwd)
printf '{\n  "machine": "%s, %s cores, Linux %s",\n  "commit": "%s",\n  "rounds": %d, "units": %s,\n' \
    "$(sed -n 's/^model name[^:]*: *//p;T;q' /proc/cpuinfo)" "$(nproc)" "$(uname -r | cut -d. -f1-2)" \
    "$(git -C "$top" rev-parse --short HEAD 2>/dev/null || echo unknown)" "$rounds" "$units"
row a "$1"
printf ',\n'
row b "$2"
printf '\n}\n'
