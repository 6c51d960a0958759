#!/bin/sh
# Prints what a run may leave behind, one thing a line, sorted: take it before and after, and compare.
#
#   residue.sh          interfaces, mounts, lab directories,
#                       and every process that lives in namespaces other than this script's
#   residue.sh PID      the same, but of processes only the descendants of PID, which should be a subreaper: for
#                       machines on which others run labs too
set -u

interfaces() {
  for path in /sys/class/net/*; do
    [ -e "$path" ] && echo "interface ${path##*/}"
  done
}

mounts() {
  # Mount point, type and source; numbers differ from one moment to the next.
  sed -E 's/^[0-9]+ [0-9]+ [0-9:]+ ([^ ]+) ([^ ]+) .* - ([^ ]+) ([^ ]+) .*/mount \2 \1 \3 \4/' /proc/self/mountinfo
}

labs() {
  for path in /run/ordeal/labs/*; do
    [ -e "$path" ] && echo "lab ${path##*/}"
  done
}

# PID and its descendants but for this script, by the parent numbers in /proc/*/stat.
descendants() {
  cat /proc/[0-9]*/stat 2>/dev/null | sed -E 's/^([0-9]+) \((.*)\) (.) ([0-9]+) .*/\1 \4 \3 \2/' |
    awk -v top="$1" -v self="$$" '
      { parent[$1] = $2; what[$1] = $0; sub(/^[0-9]+ [0-9]+ /, "", what[$1]) }
      END {
        for (pid in parent) {
          up = pid
          while (up in parent && up != top && up != self) up = parent[up]
          if (up == top && pid != top) print "process " what[pid]
        }
      }'
}

foreigners() {
  ls -l /proc/[0-9]*/ns/pid /proc/[0-9]*/ns/net /proc/[0-9]*/ns/mnt 2>/dev/null |
    sed -nE 's|.* /proc/([0-9]+)/ns/[a-z]+ -> ([a-z]+:\[[0-9]+\])$|\1 \2|p' |
    awk -v own="$(readlink /proc/self/ns/pid /proc/self/ns/net /proc/self/ns/mnt | tr '\n' ' ')" '
      BEGIN { split(own, names, " "); for (i in names) ours[names[i]] = 1 }
      !($2 in ours) { away[$1] = 1 }
      END { for (pid in away) print pid }' |
    while read -r pid; do
      name=$(cat "/proc/$pid/comm" 2>/dev/null) && echo "process $pid $name"
    done
}

{
  interfaces
  mounts
  labs
  if [ $# -gt 0 ]; then descendants "$1"; else foreigners; fi
} | sort
