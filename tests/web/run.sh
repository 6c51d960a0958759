#!/bin/sh
# Makes a folder of runs and opens their pages in a browser: run.sh ORDEAL RESULTS_TESTS [SCREENSHOTS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v node >/dev/null; then
  echo "skipped: node is not here"
  exit 77
fi
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
PAGES="$runs/runs" "$2" "[pages]" >/dev/null
timeout --kill-after 10 280 node "$here/pages.mjs" "$1" "$runs/runs" "${3:-}"
