#!/bin/bash
# A tutorial of docs/, followed to the letter: its files are written, its commands are run, each must end as it says.
# Usage: custom.sh ORDEAL PAGE HOW_MANY_COMMANDS_AT_LEAST
set -u
ordeal=$(realpath "$1")
page=$(realpath "$2")
dir=$(mktemp -d /tmp/ordeal-tutorial-XXXXXX)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin" && ln -s "$ordeal" "$dir/bin/ordeal"
export PATH="$dir/bin:$PATH"
cd "$dir" || exit 1

# A block opens with ```LANGUAGE file=NAME or ```sh run [exit=N].
awk '/^```/ && inside { inside = 0; close(out); next }
     /^```[a-z]+ file=/ { sub(/.*file=/, ""); out = $0; inside = 1; next }
     /^```sh run/ { n += 1; code = 0; if (match($0, /exit=[0-9]+/)) code = substr($0, RSTART + 5, RLENGTH - 5)
                    out = sprintf("command-%02d-%d", n, code); inside = 1; next }
     inside { print > out }' "$page"

ran=0
for block in command-*; do
  while read -r line; do
    printf '$ %s\n' "$line"
    timeout -k 5 240 sh -c "$line" >out 2>&1 </dev/null
    status=$?
    if [ "$status" != "${block##*-}" ]; then
      tail -n 40 out
      echo "FAILED: exit code $status instead of ${block##*-}"
      exit 1
    fi
    ran=$((ran + 1))
  done <"$block"
done
[ "$ran" -ge "$3" ] || { echo "FAILED: only $ran commands were found in $page"; exit 1; }
