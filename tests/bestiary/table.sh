#!/bin/bash
# The bestiary's tables: every bug with the workload and the faults that show it, several seeds each, and the correct
# variants, through the real command line on lab nodes. As root.
#   table.sh ORDEAL BESTIARY_DIR smoke              the quickest bugs, a correct run of each program, and a canary; for CI
#   table.sh ORDEAL BESTIARY_DIR one BUG            one bug, all its seeds
#   table.sh ORDEAL BESTIARY_DIR full [README.md]   all bugs; rewrites their table in that file
#   table.sh ORDEAL BESTIARY_DIR correct PROGRAM SECONDS
#                                                   the correct program under every workload and nemesis in turn
#   table.sh ORDEAL BESTIARY_DIR results [README.md]
#                                                   what such runs have added to RESULTS; rewrites that table
# Environment: SEEDS (how many), TIME (of a run), JOBS (rows at a time); for correct ones LENGTH (of a run), RATE (of its
# operations), FIRST (which of them comes first), RESULTS (a file that each adds a line to, for one table of several
# programs) and KEEP (a folder for runs that did not end PASS).
set -u
here=$(cd "$(dirname "$0")" && pwd)
ordeal=$(realpath "$1")
bestiary=$(realpath "$2")
mode=$3
seeds=${SEEDS:-3}
time=${TIME:-25}
jobs=${JOBS:-2}
fault_time=2s calm_time=1200ms
work=$(mktemp -d /tmp/ordeal-bestiary-XXXXXX)
trap 'rm -rf "$work"' EXIT
results=${RESULTS:-$work/results}

# run PROGRAM BUG WORKLOAD NEMESIS SECONDS SEED FLAGS...: sets $verdict, and $found, the run's directory in $dir.
run() {
  local program=$1 bug=$2 workload=$3 nemesis=$4 seconds=$5 seed=$6
  shift 6
  case $workload in *.toml) workload=$bestiary/$workload ;; esac
  rm -rf "$dir/runs"
  local faults=()
  case $nemesis in
    none) ;;
    *.faults) script_for "$seconds" <"$here/$nemesis" >"$dir/script" && faults=(--faults "$dir/script") ;;
    *) faults=(--nemesis "$nemesis" --fault-time "$fault_time" --calm-time "$calm_time") ;;
  esac
  timeout -k 5 $((seconds + 200)) "$ordeal" run --cluster "$bestiary/$program.toml" --option "bug=$bug" \
    --workload "$workload" "${faults[@]}" --time "${seconds}s" --seed "$seed" --runs "$dir/runs" --progress none "$@" \
    >"$dir/out" 2>"$dir/err" </dev/null
  found=$(find "$dir/runs" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | head -n 1)
  if [ -s "$found/run.json" ]; then verdict=$(jq -r .verdict "$found/run.json"); else verdict=BROKEN; fi
}

# Of the first finding: milliseconds from the start of the main phase, operations until then, kind, size of the
# witness, nearest fault.
first_finding() {
  local began
  began=$(jq '.main_began_ns // 0' "$found/execution.json")
  jq -r --argjson began "$began" '[.checks[].findings[]][0] |
    [((.at_ns - $began) / 1000000 | floor), (.bad_prefix_events / 2 | floor), .kind, (.witness | length),
     (.context.nearest_fault // "none")] | map(tostring) | join("|")' "$found/run.json"
}

# Of a script of faults, the lines that end in time.
script_for() {
  awk -v all="$1" 'function s(t) { return t ~ /ms$/ ? t / 1000 : t + 0 } !/^at/ || s($2) + s($6) < all - 1'
}

# The kinds of fault of a row: a list, or those of a script.
kinds_of() { case $1 in *.faults) awk '/^(at|after)/ { print $3 }' "$here/$1" | sort -u ;; *) echo "${1//,/ }" ;; esac; }

median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)]; else print "-" }'; }
seconds_of() { if [ "$1" = - ]; then echo -; else awk -v ms="$1" 'BEGIN { printf "%.1f s", ms / 1000 }'; fi; }

bugs() { grep -v -e '^#' -e '^$' -e '^correct' "$here/table.txt" | sed 's/ *| */|/g'; }
correct() { grep '^correct' "$here/table.txt" | sed 's/ *| */|/g; s/^correct|//'; }

# Runs a command for each line that it reads, so many at a time; each has a $dir of its own. What they print comes in
# the order of the lines.
for_each() {
  local number=1000 line
  while read -r line; do
    number=$((number + 1))
    (dir=$(mktemp -d "$work/XXXXXX") && "$@" "$line" </dev/null && rm -rf "$dir") >"$work/said-$number" &
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
  done
  wait
  cat "$work"/said-*
  rm -f "$work"/said-*
}

# try_bug ROW: a line of the table; its figures are added to $work/drill.
try_bug() {
  local program bug workload nemesis kinds flags length=$time
  IFS='|' read -r program bug workload nemesis kinds flags <<<"$1"
  flags=${flags/smoke/}
  [ "$mode/$nemesis" = smoke/none ] && length=3
  local times="$dir/times" ops="$dir/ops"
  : >"$times"
  : >"$ops"
  local hits=0 named=0 small=0 near=0 kinds_seen="" seed
  for seed in $(seq 1 "$seeds"); do
    # shellcheck disable=SC2086
    run "$program" "$bug" "$workload" "$nemesis" "$length" "$seed" $flags
    [ "$verdict" = FAIL ] || { echo "  $program $bug seed $seed: $verdict" >&2; continue; }
    local at count kind size fault one
    IFS='|' read -r at count kind size fault <<<"$(first_finding)"
    hits=$((hits + 1))
    echo "$at" >>"$times"
    echo "$count" >>"$ops"
    case ",$kinds," in *",$kind,"*) named=$((named + 1)) ;; esac
    case $kinds_seen in *"$kind"*) ;; *) kinds_seen="$kinds_seen${kinds_seen:+, }$kind" ;; esac
    [ "$size" -le 8 ] && small=$((small + 1))
    [ "$nemesis" = none ] && [ "$fault" = none ] && near=$((near + 1))
    [ "$nemesis" = none ] || for one in $(kinds_of "$nemesis"); do case $fault in *"$one"*) near=$((near + 1)); break ;; esac; done
    echo "  $program $bug seed $seed: $kind after $at ms, witness $size, $fault" >&2
    [ "$mode" = smoke ] && break
  done
  echo "$seeds $hits $named $small $near" >>"$work/drill"
  [ "$mode" != smoke ] || [ "$hits" -gt 0 ] || echo "not found: $1" >>"$work/failed"
  printf '| %s | %s | %s, %s | %s/%s | %s | %s | %s | %s/%s (%s) | %s/%s | %s/%s |\n' "$program" "$bug" "$workload" \
    "$nemesis" "$hits" "$seeds" "$(seconds_of "$(median <"$times")")" "$(seconds_of "$(sort -n "$times" | tail -n 1 | grep . || echo -)")" \
    "$(median <"$ops")" "$named" "$hits" "${kinds_seen:--}" "$small" "$hits" "$near" "$hits"
}

bug_table() {
  echo '| program | bug | workload, faults | found | median | worst | operations | named right | witness of 8 at most | fault right |'
  echo '|---|---|---|---|---|---|---|---|---|---|'
  for_each try_bug
  echo
  awk '{ runs += $1; hits += $2; named += $3; small += $4; near += $5; found += $2 > 0 }
       END { printf "%d of %d bugs found, in %d of %d runs. Of these runs, %d were named right, %d had a witness of 8 operations at most, and in %d the nearest fault was of a planted kind.\n",
                    found, NR, hits, runs, named, small, near }' "$work/drill"
}

# As much as a correct run proves: no finding, and nothing that broke.
correct_run() {  # "PROGRAM BUG WORKLOAD NEMESIS SECONDS"
  local program bug workload nemesis seconds
  read -r program bug workload nemesis seconds <<<"$1"
  run "$program" "$bug" "$workload" "$nemesis" "$seconds" 1
  echo "  $program $workload, bug $bug: $verdict" >&2
  case $bug/$verdict in
    none/PASS | none/INCONCLUSIVE) ;;
    none/*) echo "a correct $program ended $verdict" >>"$work/failed" ;;
    */FAIL) ;;
    *) echo "the canary is green" >>"$work/failed" ;;
  esac
}

# The nemeses of correct runs, in turn; "slow" as a script, since servers with little to do never use up a share.
nemeses=(partition,kill pause disk clock packets slow.faults restart "all --swarm")

# soak PROGRAM SECONDS: runs, until their load is so long; each is a line of $results.
soak() {
  local program=$1 budget=$2 length=${LENGTH:-120} number=${FIRST:-0} used=0
  local -a rows
  mapfile -t rows < <(correct | grep "^$program|")
  local workload nemesis flags asked effects
  while [ "$used" -lt "$budget" ]; do
    IFS='|' read -r _ workload nemesis flags <<<"${rows[$(((number / ${#nemeses[@]} + number) % ${#rows[@]}))]}"
    case $nemesis in *.faults) ;; *) nemesis=${nemeses[$((number % ${#nemeses[@]}))]} ;; esac
    # Leases rest on clocks that run: no faults of those.
    case $flags/$nemesis in *lease*/clock | *lease*/all*) nemesis=partition,kill ;; esac
    flags=$(sed 's/--rate [0-9]*//' <<<"$flags")
    case $nemesis in *" --swarm") nemesis=${nemesis% --swarm} flags="$flags --swarm" ;; esac
    # shellcheck disable=SC2086
    run "$program" none "$workload" "$nemesis" "$length" $((1000 + number)) --rate "${RATE:-50}" $flags
    asked=$(jq '.coverage.operations // 0' "$found/run.json" || echo 0)
    effects=$(jq '[.coverage.faults[].took_effect] | add // 0' "$found/run.json" || echo 0)
    echo "$program $length $asked $effects $verdict seed $((1000 + number)) $workload $nemesis $flags" | tee -a "$results" >&2
    number=$((number + 1)) used=$((used + length))
    [ "$verdict" = PASS ] || [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP" && cp -r "$found" "$KEEP/"; }
  done
}

soak_table() {
  echo '| program | runs | time | operations | faults that took effect | PASS | INCONCLUSIVE | FAIL | BROKEN |'
  echo '|---|---|---|---|---|---|---|---|---|'
  awk '{ runs[$1] += 1; time[$1] += $2; operations[$1] += $3; faults[$1] += $4; ended[$1, $5] += 1 }
       END { for (p in runs) printf "| %s | %d | %d min | %d | %d | %d | %d | %d | %d |\n", p, runs[p], time[p] / 60,
             operations[p], faults[p], ended[p, "PASS"], ended[p, "INCONCLUSIVE"], ended[p, "FAIL"], ended[p, "BROKEN"] }' "$results" | sort
}

# What it reads comes between two marks of a page.
put_between() {
  {
    sed "/<!-- $1 -->/q" "$2"
    echo
    cat
    echo
    sed -n "/<!-- end of $1 -->/,\$p" "$2"
  } >"$work/page" && cp "$work/page" "$2"
}

case $mode in
  one) bugs | grep "|$4|" | bug_table ;;
  correct)
    dir=$work
    soak "$4" "$5"
    soak_table
    ;;
  results)
    soak_table | tee "$work/table.md"
    [ -z "${4:-}" ] || put_between correct "$4" <"$work/table.md"
    ;;
  smoke)
    # The bug of each program that is found soonest, a correct run of each, and a canary, which must go red: these runs
    # can fail.
    seeds=4 time=8 jobs=3 fault_time=1s calm_time=400ms
    bugs | grep smoke | for_each try_bug
    {
      correct | awk -F'|' '!seen[$1]++ { print $1, "none", $2, "partition,kill 8" }'
      echo raftkv cas-lost-update register none 3
    } | for_each correct_run
    if [ -s "$work/failed" ]; then
      sed 's/^/FAILED: /' "$work/failed"
      exit 1
    fi
    ;;
  full)
    {
      echo "Made on $(date -u +%Y-%m-%d) by \`SEEDS=$seeds TIME=$time JOBS=$jobs tests/bestiary/table.sh build/release/harness/ordeal build/release/tests/bestiary full tests/bestiary/README.md\`, $(nproc) cores."
      echo
      bugs | bug_table
    } | tee "$work/table.md"
    [ -z "${4:-}" ] || put_between bugs "$4" <"$work/table.md"
    ;;
  *) echo "no mode is called $mode" >&2 && exit 64 ;;
esac
