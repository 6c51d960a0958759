#!/bin/sh
# Run on a node: prints all that a fault could leave there, so that it can be compared byte for byte before and after.
# What changes by itself is left out: counters, process ids, and the files of the tested system.
#
#   node_state.sh            prints
#   node_state.sh add        adds what users have of their own, and must have still afterwards
PATH=$PATH:/usr/sbin:/sbin
groups=/tmp/groups

if [ "${1:-}" = add ]; then
  set -e
  for t in iptables ip6tables; do
    $t -N ORDEAL-users; $t -A ORDEAL-users -p tcp --dport 81 -j DROP
    $t -A INPUT -m comment --comment ordeal-like -j ORDEAL-users
    $t -A OUTPUT -p udp --dport 9 -j ACCEPT
    $t -P FORWARD DROP
    $t -t mangle -A PREROUTING -p tcp --dport 82 -j MARK --set-mark 5
    # iptables makes a table or chain that it needs and never removes one (docs/faults.md): this one is there before.
    $t -t mangle -A INPUT -p tcp --dport 85 -j MARK --set-mark 6
  done
  ! command -v nft >/dev/null || nft -f - <<'NFT'
table inet users {
  set friends {
    type ipv4_addr
    elements = { 10.77.0.9, 10.77.0.200 }
  }
  chain input {
    type filter hook input priority 5; policy accept;
    ip saddr @friends tcp dport 83 drop
  }
}
table ip6 ordeal {
  chain input {
    type filter hook input priority -5;
    tcp dport 84 reject
  }
}
NFT
  device=$(ip -o route get 10.77.0.254 | sed 's/.* dev \([^ ]*\).*/\1/')
  tc qdisc replace dev "$device" root handle 77: pfifo limit 1234
  tc qdisc add dev "$device" clsact
  # Nodes of a lab may look at control groups, and make some only where the lab gives them the right to.
  mkdir -p $groups && mount -t cgroup2 none $groups
  mkdir -p $groups/users/inner 2>/dev/null || echo "this node may make no control groups" >&2
  # One process of theirs is stopped, and one is not.
  for name in steady halted; do setsid bash -c "exec -a users-$name sleep 100000" >/dev/null 2>&1 </dev/null & done
  for _ in 1 2 3 4 5 6 7 8 9; do pid=$(pgrep -f '^users-halted') && break; sleep 0.1; done
  kill -s STOP "$pid"
  [ ! -d $groups/users/inner ] || echo "$pid" >$groups/users/inner/cgroup.procs
  exit 0
fi

echo "== rules"
for t in iptables ip6tables; do $t-save | sed -e '/^#/d' -e 's/\[[0-9:]*\]//'; done
nft list ruleset 2>/dev/null | sed -E 's/counter packets [0-9]+ bytes [0-9]+/counter/'
echo "== network"
tc qdisc show; tc filter show; ip -o link; ip -o addr | sed 's/ tentative//'; ip route; ip rule
sed 's/ .*//' /proc/net/netfilter/nfnetlink_queue 2>/dev/null  # the kernel's queues for packets
echo "== mounts"
cat /proc/mounts
echo "== control groups"
find $groups -mindepth 1 -type d | sort
for f in cgroup.freeze cpu.max memory.max memory.high io.max; do
  find $groups -mindepth 2 -name $f | sort | while read -r p; do echo "$p $(tr '\n' ' ' <"$p")"; done
done
echo "== clocks"
# The node tells the time of the controller, and no process has another vDSO than this shell.
[ -z "${NOW:-}" ] || awk -v a="$(date +%s)" -v b="$NOW" 'BEGIN { print (a - b > 2 || b - a > 2) ? "wrong time" : "right time" }'
adjtimex --print 2>/dev/null | grep -E 'tick|frequency'
python3 - <<'PYTHON'
import glob, hashlib, re
def digest(pid):
    with open(f"/proc/{pid}/maps") as maps:
        found = re.search(r"^([0-9a-f]+)-([0-9a-f]+) .*\[vdso\]$", maps.read(), re.M)
    if not found:
        return None
    begin, end = (int(word, 16) for word in found.groups())
    with open(f"/proc/{pid}/mem", "rb") as memory:
        memory.seek(begin)
        return hashlib.sha256(memory.read(end - begin)).hexdigest()
own = digest("self")
for path in glob.glob("/proc/[0-9]*"):
    try:
        if digest(path.split("/")[2]) not in (own, None):
            print("a patched clock:", open(path + "/comm").read().strip())
    except OSError:
        pass
PYTHON
echo "== processes"
# But for this look's own session.
own=$(cut -d' ' -f6 /proc/$$/stat)
for p in /proc/[0-9]*; do
  s=$(cat "$p/stat" 2>/dev/null) || continue
  c=$(tr '\0' ' ' <"$p/cmdline" 2>/dev/null)
  rest=${s##*) }
  set -- $rest
  [ "$4" != "$own" ] || continue
  case $1 in S | R | D | I) state=goes ;; *) state=$1 ;; esac
  # Connections come and go.
  case $c in sshd:*) continue ;; esac
  # The tested system is another process than before; that it runs is looked at elsewhere.
  case "$state $c" in "goes "*/etcd\ *) continue ;; esac
  shift 16
  echo "$state ${c:-$(cat "$p/comm" 2>/dev/null)} nice $1 oom $(cat "$p/oom_score_adj" 2>/dev/null)"
done | sort
echo "== files"
ls -A / /tmp /run /var/lib
ls -A /var/lib/ordeal | grep -vx keep
ls /var/lib/ordeal/keep 2>/dev/null | grep 'pid$'
find /var/lib/ordeal/etcd -name '.ordeal*'
