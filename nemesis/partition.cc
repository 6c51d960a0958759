#include "nemesis/partition.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/core.h>

#include "nemesis/links.h"

namespace ordeal::nemesis {

namespace {

using clusters::shell_quote;

// The two tools, which do the same for their family of addresses.
struct Family {
  std::string_view tool;
  int number;
};
constexpr std::array<Family, 2> families = {{{"iptables", AF_INET}, {"ip6tables", AF_INET6}}};

// A minimal PATH of an SSH command may lack the folders of the tools.
constexpr std::string_view path = "PATH=$PATH:/usr/sbin:/sbin\n";

// drop_chain TOOL CHAIN: removes jump and chain in one transaction; where there is no such chain,
// or more than one jump, step by step; and succeeds when the chain is gone (the kernel keeps a
// chain that something jumps to).
constexpr std::string_view drop_chain =
    "drop_chain() {\n"
    "  printf '%s\\n' '*filter' \"-D INPUT -m comment --comment ordeal -j $2\" \"-F $2\" \"-X $2\" "
    "COMMIT |\n"
    "    \"$1-restore\" --noflush -w 5 2>/dev/null && return 0\n"
    "  rules=$(\"$1\" -w 5 -S) || return 1\n"
    "  printf '%s\\n' \"$rules\" | grep -qx -e \"-N $2\" || return 0\n"
    "  i=0\n"
    "  while [ $i -lt 9 ] && \"$1\" -w 5 -D INPUT -m comment --comment ordeal -j \"$2\" "
    "2>/dev/null; do\n"
    "    i=$((i+1))\n"
    "  done\n"
    "  \"$1\" -w 5 -F \"$2\" && \"$1\" -w 5 -X \"$2\"\n"
    "}\n";

int family_of(const std::string& address) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  for (const Family& family : families) {
    if (::inet_pton(family.number, address.c_str(), bytes.data()) == 1) return family.number;
  }
  return AF_UNSPEC;
}

std::vector<std::string> of_family(const std::vector<std::string>& addresses,
                                   const Family& family) {
  std::vector<std::string> chosen;
  std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(chosen),
               [&](const std::string& address) { return family_of(address) == family.number; });
  return chosen;
}

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string chain_of(const FaultSpec& spec) { return fmt::format("ORDEAL-{}", spec.id); }

// One transaction of iptables-restore: what is ours first, then what is cut.
std::string rules(const std::string& chain, const Family& family,
                  const std::vector<std::string>& controllers, std::uint16_t ssh_port,
                  const std::vector<std::string>& cut) {
  constexpr std::string_view tag = "-m comment --comment ordeal";
  std::vector<std::string> lines = {"*filter", fmt::format(":{} - [0:0]", chain)};
  const auto add = [&](const std::string& match, std::string_view target) {
    lines.push_back(fmt::format("-A {} {} {} -j {}", chain, match, tag, target));
  };
  for (const std::string& controller : controllers) add("-s " + controller, "RETURN");
  add(fmt::format("-p tcp --dport {}", ssh_port), "RETURN");
  if (family.number == AF_INET6) {
    // Neighbour solicitation and advertisement: without them the other direction would be cut too.
    for (const int type : {135, 136})
      add(fmt::format("-p ipv6-icmp -m icmp6 --icmpv6-type {}", type), "RETURN");
  }
  for (const std::string& address : cut) add("-s " + address, "DROP");
  lines.push_back(fmt::format("-I INPUT 1 {} -j {}", tag, chain));
  lines.emplace_back("COMMIT");
  std::string command = "printf '%s\\n'";
  for (const std::string& line : lines) command += " " + shell_quote(line);
  return command + fmt::format(" | {}-restore --noflush -w 5", family.tool);
}

// What a receiving node drops, by family; empty for a family in which it can receive nothing.
Result<std::vector<std::string>> addresses_to_cut(const Arena& arena, std::size_t receiver,
                                                  const std::set<std::size_t>& sources,
                                                  const Family& family) {
  std::vector<std::string> cut;
  if (of_family(arena.addresses[receiver], family).empty()) return cut;
  for (const std::size_t source : sources) {
    for (const std::string& address : of_family(arena.addresses[source], family)) {
      if (contains(arena.addresses[receiver], address)) continue;
      if (contains(arena.controllers[receiver], address)) {
        return error(
            "{} has the address {}, from which Ordeal reaches {}: a partition would cut Ordeal "
            "off; "
            "run it on a machine that is not a node",
            arena.nodes[source], address, arena.nodes[receiver]);
      }
      cut.push_back(address);
    }
  }
  return cut;
}

class Partition final : public Fault {
 public:
  std::string_view kind() const override { return "partition"; }
  std::string_view summary() const override {
    return "cuts the network: halves, one node, majority ring, bridge or the leader, both ways or "
           "one way";
  }
  Drawing drawing() const override { return {"#0072b2", "P"}; }
  std::size_t least_nodes() const override { return 2; }

  std::string probe() const override {
    std::string script(path);
    script +=
        "can() {\n"
        "  command -v \"$1\" >/dev/null && command -v \"$1-restore\" >/dev/null ||\n"
        "    { echo \"$1 is not installed\" >&2; return 1; }\n"
        "  said=$(printf '%s\\n' '*filter' ':ORDEAL-0 - [0:0]' "
        "'-A ORDEAL-0 -p tcp --dport 22 -m comment --comment ordeal -j DROP' COMMIT |\n"
        "    \"$1-restore\" --noflush --test -w 5 2>&1) && \"$1\" -w 5 -S INPUT >/dev/null 2>&1 "
        "||\n"
        "    { echo \"$1 does not work here: $said\" >&2; return 1; }\n"
        "}\n"
        "can iptables || exit 1\n"
        // Addresses of global scope (00) in this list mean that other nodes can be reached by IPv6.
        "! grep -q '^[0-9a-f]* [0-9a-f]* [0-9a-f]* 00 ' /proc/net/if_inet6 2>/dev/null || can "
        "ip6tables\n";
    return script;
  }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec = draw_links(rng, nodes);
    spec.kind = kind();
    return spec;
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Result<Links> links = resolve_links(spec, arena.nodes, arena.leader);
    if (!links) return pass_on(links.error());
    Injection injection{links->resolved, {}};
    for (std::size_t node = 0; node < arena.nodes.size(); ++node) {
      if (links->deaf_to[node].empty()) continue;
      Result<NodeAction> action = act(spec, arena, node, links->deaf_to[node]);
      if (!action) return pass_on(action.error());
      injection.actions.push_back(std::move(*action));
    }
    return injection;
  }

  std::string sweep() const override {
    return fmt::format(
        "{}{}status=0\n"
        "for tool in iptables ip6tables; do\n"
        "  command -v $tool >/dev/null || continue\n"
        "  rules=$($tool -w 5 -S 2>/dev/null) || continue\n"
        "  for chain in $(printf '%s\\n' \"$rules\" |\n"
        "      sed -n 's/^-N \\(ORDEAL-[0-9][0-9]*\\)$/\\1/p'); do\n"
        "    drop_chain $tool $chain || status=1\n"
        "  done\n"
        "done\n"
        "exit $status\n",
        path, drop_chain);
  }

 private:
  static Result<NodeAction> act(const FaultSpec& spec, const Arena& arena, std::size_t node,
                                const std::set<std::size_t>& sources) {
    const std::string chain = chain_of(spec);
    std::string inject(path), undo = fmt::format("{}{}status=0\n", path, drop_chain);
    std::string counters, left;
    for (const Family& family : families) {
      const Result<std::vector<std::string>> cut = addresses_to_cut(arena, node, sources, family);
      if (!cut) return pass_on(cut.error());
      if (cut->empty()) continue;
      const std::vector<std::string> controllers = of_family(arena.controllers[node], family);
      inject += rules(chain, family, controllers, arena.ssh_ports[node], *cut) + " || exit 1\n";
      undo += fmt::format("drop_chain {} {} || status=1\n", family.tool, chain);
      counters += fmt::format("{} -w 5 -nvxL {}; ", family.tool, chain);
      left += fmt::format(
          "rules=$({0} -w 5 -S) || exit 1\n"
          "case \"$rules \" in *'{1} '*|*'{1}\n'*) echo 'the chain {1} is still in {0}' >&2; exit "
          "1;; esac\n",
          family.tool, chain);
    }
    if (counters.empty()) {
      return error(
          "no address is known by which {} could tell the nodes apart that it shall not hear",
          arena.nodes[node]);
    }
    NodeAction action;
    action.node = node;
    action.inject = inject;
    action.undo = undo + "exit $status\n";
    action.effect = fmt::format(
        "{}{{ {}}} | {{\n"
        "  n=0\n"
        "  while read -r packets _ target _; do [ \"$target\" = DROP ] && n=$((n+packets)); done\n"
        "  s=s; [ $n -eq 1 ] && s=\n"
        "  echo \"$n packet$s dropped\"; [ $n -gt 0 ]\n"
        "}}\n",
        path, counters);
    action.healed = fmt::format("{}{}echo 'no rule of this fault is left'\n", path, left);
    return action;
  }
};

}  // namespace

std::unique_ptr<Fault> make_partition() { return std::make_unique<Partition>(); }

}  // namespace ordeal::nemesis
