#!/bin/bash
# The bestiary's table: every bug with the workload and the faults that show it, several seeds each, and the correct
# variants, through the real command line on lab nodes. As root.
#   table.sh ORDEAL BESTIARY_DIR smoke              the quickest bugs, a correct run, and a canary; for CI
#   table.sh ORDEAL BESTIARY_DIR full [README.md]   all of it; rewrites the table in that file
#   table.sh ORDEAL BESTIARY_DIR one BUG            one bug, all its seeds
# Environment: SEEDS (how many), TIME (of a run), CORRECT (seconds of correct runs altogether).
set -u
here=$(cd "$(dirname "$0")" && pwd)
ordeal=$(realpath "$1")
bestiary=$(realpath "$2")
mode=$3
seeds=${SEEDS:-3}
time=${TIME:-25}
fault_time=2s calm_time=1200ms
dir=$(mktemp -d /tmp/ordeal-bestiary-XXXXXX)
trap 'rm -rf "$dir"' EXIT

# run PROGRAM BUG WORKLOAD NEMESIS SECONDS SEED FLAGS...: the verdict; the run directory is $found.
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
  found=$(ls -d "$dir"/runs/20* 2>/dev/null | head -n 1)
  if [ -s "$found/run.json" ]; then jq -r .verdict "$found/run.json"; else echo BROKEN; fi
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
seconds_of() { [ "$1" = - ] && echo - || awk -v ms="$1" 'BEGIN { printf "%.1f s", ms / 1000 }'; }

# try_bug ROW: a line of the table.
try_bug() {
  local program bug workload nemesis kinds flags
  IFS='|' read -r program bug workload nemesis kinds flags <<<"$1"
  flags=${flags/smoke/}
  local times="$dir/times" ops="$dir/ops"
  : >"$times"; : >"$ops"
  local length=$time
  [ "$mode/$nemesis" = smoke/none ] && length=3
  local hits=0 named=0 small=0 near=0 kinds_seen=""
  for seed in $(seq 1 "$seeds"); do
    # shellcheck disable=SC2086
    local verdict; verdict=$(run "$program" "$bug" "$workload" "$nemesis" "$length" "$seed" $flags; echo "$found" >"$dir/found")
    found=$(cat "$dir/found")
    [ "$verdict" = FAIL ] || { echo "  $program $bug seed $seed: $verdict" >&2; continue; }
    local at count kind size fault
    IFS='|' read -r at count kind size fault <<<"$(first_finding)"
    hits=$((hits + 1))
    echo "$at" >>"$times"; echo "$count" >>"$ops"
    case ",$kinds," in *",$kind,"*) named=$((named + 1)) ;; esac
    case $kinds_seen in *"$kind"*) ;; *) kinds_seen="$kinds_seen${kinds_seen:+, }$kind" ;; esac
    [ "$size" -le 8 ] && small=$((small + 1))
    [ "$nemesis" = none ] && [ "$fault" = none ] && near=$((near + 1))
    [ "$nemesis" = none ] || for one in $(kinds_of "$nemesis"); do case $fault in *"$one"*) near=$((near + 1)); break ;; esac; done
    echo "  $program $bug seed $seed: $kind after $at ms, witness $size, $fault" >&2
    [ "$mode" = smoke ] && break
  done
  last_hits=$hits
  printf '| %s | %s | %s, %s | %s/%s | %s | %s | %s | %s/%s (%s) | %s/%s | %s/%s |\n' "$program" "$bug" "$workload" \
    "$nemesis" "$hits" "$seeds" "$(seconds_of "$(median <"$times")")" "$(seconds_of "$(sort -n "$times" | tail -n 1 | grep . || echo -)")" \
    "$(median <"$ops")" "$named" "$hits" "${kinds_seen:--}" "$small" "$hits" "$near" "$hits"
}

heading='| program | bug | workload, faults | found | median | worst | operations | named right | witness of 8 at most | fault right |
|---|---|---|---|---|---|---|---|---|---|'

bugs() { grep -v -e '^#' -e '^$' -e '^correct' "$here/table.txt" | sed 's/ *| */|/g'; }
correct() { grep '^correct' "$here/table.txt" | sed 's/ *| */|/g; s/^correct|//'; }

# try_correct SECONDS: every correct row in turn until the time is used; a line of the table each.
try_correct() {
  local budget=$1 rows alarms=0
  rows=$(correct | wc -l)
  local each=$((budget / rows))
  while IFS='|' read -r program workload nemesis flags; do
    local runs=0 operations=0 used=0 faults=0 verdicts=""
    while [ "$used" -lt "$each" ]; do
      local length=$((each - used < 60 ? each - used : 60))
      [ "$length" -ge 5 ] || break
      runs=$((runs + 1)); used=$((used + length))
      # shellcheck disable=SC2086
      local verdict; verdict=$(run "$program" none "$workload" "$nemesis" "$length" "$((1000 + runs))" $flags; echo "$found" >"$dir/found")
      found=$(cat "$dir/found")
      operations=$((operations + $(jq '.coverage.operations // 0' "$found/run.json")))
      faults=$((faults + $(jq '[.coverage.faults[].took_effect] | add // 0' "$found/run.json")))
      [ "$verdict" = FAIL ] && { alarms=$((alarms + 1)); cp -r "$found" "${KEEP:-/tmp}/" ; }
      case $verdicts in *"$verdict"*) ;; *) verdicts="$verdicts${verdicts:+, }$verdict" ;; esac
      echo "  correct $program $workload $nemesis $flags: $verdict" >&2
    done
    printf '| %s | %s, %s %s | %s | %s s | %s | %s | %s |\n' "$program" "$workload" "$nemesis" "$flags" "$runs" "$used" "$operations" "$faults" "$verdicts"
  done <<<"$(correct)"
  false_alarms=$alarms
}

case $mode in
  one)
    echo "$heading"
    while read -r row; do try_bug "$row"; done <<<"$(bugs | grep "|$4|")"
    ;;
  smoke)
    # Under two minutes: the bug of each program that is found soonest, a correct run of each, and a canary.
    seeds=4 time=8 fault_time=1s calm_time=400ms
    while read -r row; do
      try_bug "$row"
      [ "$last_hits" -gt 0 ] || { echo "FAILED: not found: $row"; exit 1; }
    done <<<"$(bugs | grep smoke | sed 's,smoke,,')"
    # correct_run PROGRAM BUG WORKLOAD NEMESIS: whether nothing is found.
    correct_run() {
      verdict=$(run "$1" "$2" "$3" "$4" "$time" 1)
      echo "  $1 $3, bug $2: $verdict" >&2
      case $verdict in PASS | INCONCLUSIVE) return 0 ;; *) return 1 ;; esac
    }
    while read -r program workload; do
      correct_run "$program" none "$workload" partition,kill || { echo "FAILED: a correct $program ended $verdict"; exit 1; }
    done <<<"$(correct | awk -F'|' '!seen[$1]++ { print $1, $2 }')"
    # The canary, which must go red: these runs can fail.
    time=3
    ! correct_run raftkv cas-lost-update register none || { echo "FAILED: the canary is green"; exit 1; }
    ;;
  full)
    {
      echo "$heading"
      while read -r row; do try_bug "$row"; done <<<"$(bugs)"
    } | tee "$dir/bugs.md"
    {
      echo '| program | workload, faults | runs | time | operations | faults that took effect | verdicts |'
      echo '|---|---|---|---|---|---|---|'
      try_correct "${CORRECT:-3600}"
      echo
      echo "False alarms: $false_alarms."
    } | tee "$dir/correct.md"
    if [ -n "${4:-}" ]; then
      {
        sed '/<!-- table -->/q' "$4"
        echo
        echo "Made on $(date -u +%Y-%m-%d) by \`SEEDS=$seeds TIME=$time CORRECT=${CORRECT:-3600} tests/bestiary/table.sh build/release/harness/ordeal build/release/tests/bestiary full tests/bestiary/README.md\`, $(nproc) cores."
        echo; cat "$dir/bugs.md"; echo; cat "$dir/correct.md"
      } >"$dir/readme" && cp "$dir/readme" "$4"
    fi
    ;;
esac
