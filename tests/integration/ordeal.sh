#!/bin/bash
# The product as its users meet it: real etcd on lab nodes, the real command line. Usage: ordeal.sh BINARY CASE
# Each case works in a folder of its own, checks exit codes, artefacts and words, and leaves nothing behind. It sees only
# its own processes and labs, so what it finds left is its own; and whatever happens, all of it ends with the script.
set -u
if [ "${ORDEAL_TEST_INSIDE:-}" != "$$" ]; then
  mkdir -p /run/ordeal
  exec unshare --pid --fork --kill-child --mount --mount-proc --propagation private sh -c \
    'mount -t tmpfs none /run/ordeal && ORDEAL_TEST_INSIDE=$$ exec bash "$@"' sh "$0" "$@"
fi
ordeal=$1
case=$2
here=$(cd "$(dirname "$0")" && pwd)
lab=test
dir=$(mktemp -d /tmp/ordeal-test-XXXXXX)
before=$dir/before

residue() { "$here/residue.sh" 1 >"$1"; }

say() { printf '%s\n' "$*"; }
fail() {
  say "FAILED: $*"
  say "--- stdout"; tail -n 30 "$dir/out" 2>/dev/null
  say "--- stderr"; tail -n 30 "$dir/err" 2>/dev/null
  exit 1
}
leave() {
  "$ordeal" lab down --name "$lab" >/dev/null 2>&1
  rm -rf "$dir"
}
trap leave EXIT

# run EXPECTED_EXIT ARGUMENTS...: the command, its output kept.
run() {
  local expected=$1; shift
  say "$ ordeal $*"
  timeout -k 5 240 "$ordeal" "$@" >"$dir/out" 2>"$dir/err" </dev/null
  local status=$?
  [ "$status" = "$expected" ] || fail "exit code $status instead of $expected"
}
told() { grep -q -e "$1" "$dir/out" "$dir/err" || fail "nobody said: $1"; }
the_run() { ls -d "$dir"/runs/20*; }
field() { jq -r ".$2" "$1"; }
lab_up() { run 0 lab up --name "$lab" --nodes "${1:-3}"; }
# on_node NODE SCRIPT
on_node() { "$ordeal" lab shell --name "$lab" "$1" -- sh -c "$2" </dev/null; }
# No rule, disk or keeper of ours, and a running server, on every node of the lab.
nodes_are_whole() {
  for node in "$@"; do
    on_node "$node" 'iptables-save; ip6tables-save' 2>/dev/null | grep -q 'ORDEAL-[0-9]' && return 1
    on_node "$node" 'grep fuse.ordeal /proc/mounts' | grep -q . && return 1
    on_node "$node" 'find /sys/fs/cgroup /run/cgroup-* -maxdepth 1 -name "ordeal-*"' 2>/dev/null | grep -q . && return 1
    on_node "$node" 'for p in /var/lib/ordeal/keep/*.pid; do read -r pid _ <$p && kill -0 $pid && echo $p; done' \
      2>/dev/null | grep -q . && return 1
    on_node "$node" 'grep -ls "^etcd$" /proc/[0-9]*/comm | head -n 1 | grep -q .' || return 1
    on_node "$node" 'grep -h "^State:" $(grep -ls "^etcd$" /proc/[0-9]*/comm | sed s/comm/status/)' | grep -q 'T (' && return 1
  done
  return 0
}

case_pass() {
  run 0 run --nemesis partition,kill --time 30s --seed 7 --runs "$dir/runs"
  told '^ *PASS'
  local found; found=$(the_run)
  case $found in *-PASS-*) ;; *) fail "the directory does not carry the verdict: $found" ;; esac
  for file in plan.json run.json history.jsonl faults.jsonl nodes.jsonl summary.md junit.xml nodes/n1/etcd.log; do
    [ -s "$found/$file" ] || fail "$file is missing or empty"
  done
  [ "$(field "$found/run.json" coverage.functions.cas.ok)" -gt 0 ] || fail "no cas succeeded"
  [ "$(field "$found/run.json" coverage.ok_during_faults)" -gt 0 ] || fail "nothing succeeded during faults"
  [ "$(field "$found/run.json" coverage.leader_changes)" -gt 0 ] || fail "no leader changed"
  run 0 check "$found"
  told '^ *PASS'
}

case_stale_reads() {
  run 1 run --reads serializable --time 10s --seed 7 --nodes 3 --runs "$dir/runs"
  told '^ *FAIL'
  local found; found=$(the_run)
  [ -s "$found/findings/1/finding.md" ] || fail "no finding.md"
  [ "$(field "$found/findings/1/finding.json" certainty)" = proven ] || fail "the finding is not proven"
  local size; size=$(field "$found/findings/1/finding.json" 'witness | length')
  [ "$size" -le 6 ] || fail "a witness of $size operations"
  run 1 check "$found"
  # The pages are made again, byte for byte, from what is stored.
  cp -r "$found" "$dir/kept"
  rm -r "$found"/{findings,report.html,summary.md,junit.xml}
  run 0 report "$found"
  diff -r "$dir/kept" "$found" || fail "ordeal report made other pages"
}

# Faults written down: the disks of a majority lie about fsync and lose power together, while the others cannot be reached.
# What was acknowledged after those were cut off is then nowhere, however fast or slow the machine, and the run must say so.
# The same with disks that do not lie loses nothing. (Were the others in reach, they would have the log: their leader makes
# those that lost it panic, or they catch up.)
case_lying_disks() {
  local found
  for shape in lying-fsync power-cut; do
    printf 'at 3s disk n1,n2,n3 for 12s shape=%s\nat 6s partition n4,n5 for 14s\n' $shape >"$dir/$shape"
  done
  run 1 run --faults "$dir/lying-fsync" --time 30s --recovery-time 5s --until-failure --seed 3 --runs "$dir/runs"
  found=$(the_run)
  [ "$(field "$found/run.json" 'checks | map(select(.checker == "linearizable") | .findings | length) | add')" -gt 0 ] ||
    fail "no acknowledged operation was missed"
  rm -rf "$dir/runs"
  run 0 run --faults "$dir/power-cut" --time 26s --seed 3 --runs "$dir/runs"
  grep -q 'un-synced changes lost' "$(the_run)/faults.jsonl" || fail "no power was cut"
}

# One fault by hand to servers that run, and its undo.
case_by_hand() {
  lab_up 3
  # Something must be on its way, or nothing proves that it was stopped.
  for node in n1 n2 n3; do
    on_node $node "timeout 60 bash -c 'while :; do for k in 1 2 3; do echo x >/dev/udp/10.77.0.\$k/9; done; sleep 0.1; done'" \
      >/dev/null 2>&1 &
  done
  run 0 nemesis partition --targets one --for 4s --lab "$lab"
  told 'packet.* dropped'
  on_node n1 iptables-save | grep -q ORDEAL && fail "a rule was left"
  run 64 nemesis flood --lab "$lab"
  run 64 nemesis kill
}

# SIGKILL at random moments: the nodes heal by themselves, what was recorded is judged, and the lab goes without a trace.
case_kill() {
  lab_up 3
  for round in $(seq 1 "${ROUNDS:-3}"); do
    rm -rf "$dir/runs"
    say "round $round"
    "$ordeal" run --lab "$lab" --nemesis partition,kill --time 30s --fault-time 3s --calm-time 1s --runs "$dir/runs" \
      >"$dir/out" 2>"$dir/err" </dev/null &
    local pid=$!
    # Half of the rounds: during the first faults.
    for _ in $(seq 1 150); do grep -q '"main_began_ns": [0-9]' "$dir"/runs/20*/execution.json 2>/dev/null && break; sleep 0.1; done
    sleep "$((RANDOM % 10)).$((RANDOM % 10))"
    kill -9 $pid; wait $pid 2>/dev/null
    local whole=no
    for _ in 1 2 3 4 5 6; do sleep 0.5; nodes_are_whole n1 n2 n3 && { whole=yes; break; }; done
    [ $whole = yes ] || fail "three seconds after the SIGKILL a node is not whole"
    local found; found=$(the_run)
    timeout 60 "$ordeal" check "$found" >"$dir/out" 2>"$dir/err"
    [ $? = 2 ] || fail "check did not say INCONCLUSIVE"
    told 'killed in the phase'
    run 0 heal "$found"
  done
  # And the next run is not disturbed by what the killed ones left.
  run 0 run --lab "$lab" --time 5s --runs "$dir/runs2"
}

# The same over all kinds that nodes undo by themselves, at moments drawn from SEED: while a fault is injected, while it is
# on, and while it is undone. The nodes have rules, queues, mounts and stopped processes of their users, and five seconds
# later everything there must be as it was, byte for byte. ROUNDS=100 is the thorough one; KINDS names other kinds.
case_kill_all() {
  local seed=${SEED:-$RANDOM} kinds look
  RANDOM=$seed
  look=$(cat "$here/node_state.sh")
  kinds=${KINDS:-partition,packets,kill,stop,restart,pause,slow,clock,disk,admin}
  say "seed $seed, kinds $kinds"
  lab_up 3
  # A file system of the server's own is the only one that may be filled.
  case $kinds in
    *disk-full*)
      for node in n1 n2 n3; do
        on_node $node 'mkdir -p /var/lib/ordeal/etcd && mount -t tmpfs -o size=400m none /var/lib/ordeal/etcd'
      done ;;
  esac
  run 0 run --lab "$lab" --time 3s --runs "$dir/runs"
  for node in n1 n2 n3; do
    "$ordeal" lab shell --name "$lab" $node -- sh -c "$look" node_state add </dev/null || fail "$node takes no rules of users"
    look_at $node >"$dir/$node.before"
  done
  for round in $(seq 1 "${ROUNDS:-3}"); do
    rm -rf "$dir/runs"
    "$ordeal" run --lab "$lab" --nemesis "$kinds" --seed $((seed * 1000 + round)) --time 90s --fault-time 2s --calm-time 1s \
      --runs "$dir/runs" >"$dir/out" 2>"$dir/err" </dev/null &
    local pid=$! count=$((1 + RANDOM % 6)) step late
    case $((RANDOM % 3)) in
      0) step=inject late=0.$((RANDOM % 4)) ;;
      1) step=injected late=$((RANDOM % 2)).$((RANDOM % 10)) ;;
      2) step=heal late=0.$((RANDOM % 4)) ;;
    esac
    for _ in $(seq 1 1200); do
      [ "$(grep -c "\"step\":\"$step\"" "$dir"/runs/20*/faults.jsonl 2>/dev/null)" -ge $count ] 2>/dev/null && break
      sleep 0.05
    done
    sleep $late
    kill -9 $pid; wait $pid 2>/dev/null
    [ $? = 137 ] || fail "round $round: there was nothing to kill"
    say "round $round: killed $late s after the ${count}th $step: $(last_fault)"
    local whole=no
    for _ in $(seq 1 10); do
      sleep 0.5
      nodes_are_as_before n1 n2 n3 && nodes_are_whole n1 n2 n3 && { whole=yes; break; }
    done
    [ $whole = yes ] && continue
    nodes_are_whole n1 n2 n3 || say "a node is not whole"
    cat "$dir/difference"; tail -n 5 "$(the_run)/faults.jsonl"
    fail "round $round: five seconds after the SIGKILL a node is not as before"
  done
}
look_at() { "$ordeal" lab shell --name "$lab" "$1" -- sh -c "NOW=$(date +%s); $look" </dev/null 2>/dev/null; }
nodes_are_as_before() {
  for node in "$@"; do
    look_at $node >"$dir/$node.after"
    diff "$dir/$node.before" "$dir/$node.after" >"$dir/difference" || { sed -i "s/^/$node: /" "$dir/difference"; return 1; }
  done
}
# What was going on last, by kind.
last_fault() {
  local found last; found=$(the_run); last=$(grep -a '}$' "$found/faults.jsonl" | tail -n 1)
  printf '%s %s' "$(jq -r ".faults[$(jq .fault <<<"$last") - 1] | .kind + \" \" + (.parameters.shape // \"\")" "$found/plan.json")" \
    "$(jq -r .step <<<"$last")"
}

# A member that was removed when Ordeal was killed stays out, as nobody on its node can add it: `ordeal heal` does, also
# when one of the others cannot be reached. Then what else changes members and programs, in a run that must pass.
case_heal_member() {
  lab_up 3
  printf 'at 3s membership n3 for 60s\n' >"$dir/removal"
  "$ordeal" run --lab "$lab" --faults "$dir/removal" --time 70s --runs "$dir/runs" >"$dir/out" 2>"$dir/err" </dev/null &
  local pid=$!
  for _ in $(seq 1 300); do grep -q '"injected"' "$dir"/runs/20*/faults.jsonl 2>/dev/null && break; sleep 0.1; done
  kill -9 $pid; wait $pid 2>/dev/null
  sleep 4
  nodes_are_whole n3 && fail "n3 serves although it was removed"
  jq '(.nodes[] | select(.name == "n2")).port = 2' "$(the_run)/inventory.json" >"$dir/other.json"
  cp "$dir/other.json" "$(the_run)/inventory.json"
  run 0 heal "$(the_run)"
  sleep 4
  nodes_are_whole n1 n2 n3 || fail "n3 has not joined again"
  run 0 heal "$(the_run)"
  told 'nothing to undo'
  rm -rf "$dir/runs"
  cp "$(command -v etcd)" "$dir/etcd-other"
  printf '%s\n' 'at 3s wipe leader for 3s' 'after 2s membership n2 for 2s as=learner' 'after 2s upgrade all for 6s mode=rolling' \
    >"$dir/changes"
  run 0 run --lab "$lab" --faults "$dir/changes" --etcd-other-binary "$dir/etcd-other" --time 45s --runs "$dir/runs"
  told '^ *PASS'
  for words in 'server and data gone' 'no member any more' 'runs the other version'; do
    grep -q "$words" "$(the_run)/faults.jsonl" || fail "the ledger does not say: $words"
  done
}

case_interrupt() {
  lab_up 3
  "$ordeal" run --lab "$lab" --nemesis partition --time 60s --fault-time 20s --calm-time 1s --runs "$dir/runs" \
    >"$dir/out" 2>"$dir/err" </dev/null &
  local pid=$!
  for _ in $(seq 1 300); do grep -q '"injected"' "$dir"/runs/20*/faults.jsonl 2>/dev/null && break; sleep 0.1; done
  kill -USR1 $pid
  for _ in $(seq 1 50); do grep -q 'status .* n3: ' "$dir/err" && break; sleep 0.1; done
  kill -INT $pid
  wait $pid
  [ $? = 130 ] || fail "exit code $? instead of 130"
  told 'interrupted in the phase main'
  told 'status .* n3: '
  on_node n1 iptables-save | grep -q ORDEAL && fail "a rule was left"
  [ -s "$(the_run)/summary.md" ] || fail "no report"
}

# Killed by somebody else: they are started again after healing, and it is no PASS.
case_never_again() {
  lab_up 3
  "$ordeal" run --lab "$lab" --time 15s --recovery-time 5s --runs "$dir/runs" >"$dir/out" 2>"$dir/err" </dev/null &
  local pid=$!
  for _ in $(seq 1 300); do grep -q '"main_began_ns": [0-9]' "$dir"/runs/20*/execution.json 2>/dev/null && break; sleep 0.1; done
  sleep 3
  for node in n1 n2 n3; do
    on_node $node 'kill -9 $(grep -ls "^etcd$" /proc/[0-9]*/comm | cut -d/ -f3)'
  done
  wait $pid
  [ $? = 2 ] || fail "exit code $? instead of 2"
  told 'was not running although no fault was on'
}

# A node that is left broken, by somebody else's rule, is a finding that names it; the run before it, and after, is none.
case_left_broken() {
  lab_up 3
  printf 'at 2s kill n1 for 4s\n' >"$dir/kill"  # what is drawn may leave no majority; long enough to elect a leader
  "$ordeal" run --lab "$lab" --faults "$dir/kill" --time 10s --recovery-time 4s --runs "$dir/runs" \
    >"$dir/out" 2>"$dir/err" </dev/null &
  local pid=$!
  for _ in $(seq 1 300); do grep -q '"main_began_ns": [0-9]' "$dir"/runs/20*/execution.json 2>/dev/null && break; sleep 0.1; done
  sleep 7  # it is undone by then
  # One that follows: without the leader's word nobody can say whether all agree on it.
  local cut=n3
  [ "$(sed -nE 's/.* leader +(n. -> )?(n.).*/\2/p' "$dir/err" | tail -n 1)" = n3 ] && cut=n2
  on_node $cut 'iptables -I INPUT -p tcp --dport 2379 -j DROP'
  wait $pid
  local status=$?
  [ $status = 1 ] || { jq -r ".reasons[].text" "$(the_run)/run.json"; fail "exit code $status instead of 1"; }
  told "$cut did not recover: nothing succeeded"
  local found; found=$(the_run)
  [ "$(field "$found/run.json" 'checks | map(.findings[].kind) | join(" ")')" = no-recovery ] || fail "not one finding"
  run 1 check "$found"
  on_node $cut 'iptables -D INPUT -p tcp --dport 2379 -j DROP'
  rm -rf "$dir/runs"
  run 0 run --lab "$lab" --faults "$dir/kill" --time 10s --recovery-time 4s --runs "$dir/runs"
}

case_usage() {
  run 64 run --nemsis kill
  told 'did you mean --nemesis?'
  run 64 run --nemesis kil
  run 64 run --seed -3
  run 64 run --time 60
  told 'is no duration'
  run 64 run --cluster etdc
  run 64 run --nodes 9
  run 64 run --seed 4 --plan /dev/null
  run 64
  run 64 frobnicate
  run 3 check /etc
  told 'is not a run directory'
  run 0 run --nemesis partition,kill --seed 42 --dry-run --json
  cp "$dir/out" "$dir/plan.json"
  run 0 run --nemesis partition,kill --seed 42 --dry-run --json
  cmp "$dir/out" "$dir/plan.json" || fail "two plans of one seed differ"
  run 0 run --plan "$dir/plan.json" --dry-run --json
  cmp "$dir/out" "$dir/plan.json" || fail "the replayed plan differs"
  # A flag that is given counts, though it says what the default is.
  cat >"$dir/w.toml" <<'TOML'
[workload]
name = "w"
check = "list"
group = 2
[[phase]]
mix = [{ function = "append", value = "{unique}" }, { function = "read" }]
TOML
  cat >"$dir/c.toml" <<'TOML'
[cluster]
name = "c"
promise = "none"
[node]
start = ["true"]
ready = { command = "true", within = "5s" }
[client]
command = ["true"]
functions = ["append", "read"]
TOML
  run 0 run --cluster "$dir/c.toml" --workload "$dir/w.toml" --dry-run --json
  jq -e '.workload.group == 2' "$dir/out" >/dev/null || fail "the group of the workload's file does not count"
  run 0 run --cluster "$dir/c.toml" --workload "$dir/w.toml" --group 5 --dry-run --json
  jq -e '.workload.group == 5' "$dir/out" >/dev/null || fail "--group 5 does not count"
  run 0 list
  told register
  run 0 --version
  run 0 completion bash
  bash -n "$dir/out" || fail "bash does not take the completion"
  (. "$dir/out"; COMP_WORDS=(ordeal run --nem); COMP_CWORD=2; _ordeal; [ "${COMPREPLY[*]}" = --nemesis ]) ||
    fail "the completion does not complete"
  run 0 man
  told 'SH EXAMPLES'
}

# Nodes that cannot be had: BROKEN, with the node and the step named.
case_bad_nodes() {
  lab_up 3
  "$ordeal" lab inventory --name "$lab" >"$dir/inventory.json"
  sed 's/"10.77.0.3"/"10.77.0.33"/' "$dir/inventory.json" >"$dir/dead.json"
  run 3 run --inventory "$dir/dead.json" --time 5s --runs "$dir/runs"
  told 'n3'
  ssh-keygen -q -t ed25519 -N '' -f "$dir/wrong"
  sed -E "s|\"identity\": *\"[^\"]*\"|\"identity\": \"$dir/wrong\"|" "$dir/inventory.json" >"$dir/wrong.json"
  run 3 run --inventory "$dir/wrong.json" --time 5s --runs "$dir/runs"
  told 'n1'
  told 'authenticat'
  run 64 run --inventory /nonexistent --time 5s
  echo '{"schema":1,"nodes":[{"name":"n1","hots":"x"}]}' >"$dir/typo.json"
  run 64 run --inventory "$dir/typo.json"
  told 'did you mean'
}

# The disk of the run directory fills up in the middle: BROKEN in a sentence, what was recorded is judged.
case_full_disk() {
  mkdir "$dir/small"
  say "$ ordeal run, on a disk of 2 MiB"
  timeout -k 5 120 unshare --mount --propagation private sh -c "
    mount -t tmpfs -o size=2m none '$dir/small' &&
    exec '$ordeal' run --nodes 3 --time 30s --runs '$dir/small/runs'" >"$dir/out" 2>"$dir/err" </dev/null
  [ $? = 3 ] || fail "exit code $? instead of 3"
  told 'No space left'
}

residue "$before"
"case_$case"
"$ordeal" lab down --name "$lab" >/dev/null 2>&1
for _ in 1 2 3 4 5 6 7 8 9 10; do
  residue "$dir/after"
  # What an earlier case left may go meanwhile; nothing may come.
  [ -z "$(comm -13 "$before" "$dir/after")" ] && { say "case $case: ok, and nothing is left"; exit 0; }
  sleep 0.3
done
comm -13 "$before" "$dir/after"
fail "something is left behind"
