#include "nemesis/rules.h"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/core.h>

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
constexpr std::string_view tag = "-m comment --comment ordeal";

// drop_chain TOOL CHAIN TABLE HOOKS: removes jumps and chain in one transaction; where there is no
// such chain, or not one jump from each hook, step by step; and succeeds when the chain is gone
// (the kernel keeps a chain that something jumps to).
constexpr std::string_view drop_chain =
    "drop_chain() {\n"
    "  { echo \"*$3\"\n"
    "    for hook in $4; do echo \"-D $hook -m comment --comment ordeal -j $2\"; done\n"
    "    printf '%s\\n' \"-F $2\" \"-X $2\" COMMIT; } |\n"
    "    \"$1-restore\" --noflush -w 5 2>/dev/null && return 0\n"
    "  rules=$(\"$1\" -w 5 -t \"$3\" -S) || return 1\n"
    "  printf '%s\\n' \"$rules\" | grep -qx -e \"-N $2\" || return 0\n"
    "  for hook in $4; do\n"
    "    i=0\n"
    "    while [ $i -lt 9 ] && \"$1\" -w 5 -t \"$3\" -D $hook -m comment --comment ordeal -j "
    "\"$2\" "
    "2>/dev/null; do\n"
    "      i=$((i+1))\n"
    "    done\n"
    "  done\n"
    "  \"$1\" -w 5 -t \"$3\" -F \"$2\" && \"$1\" -w 5 -t \"$3\" -X \"$2\"\n"
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

std::string restore_command(const std::vector<std::string>& lines, const Family& family) {
  std::string command = "printf '%s\\n'";
  for (const std::string& line : lines) command += " " + shell_quote(line);
  return command + fmt::format(" | {}-restore --noflush -w 5", family.tool);
}

// Undo, counters and proof for a chain with jumps from these hooks.
void add_undo(ChainCommands& commands, const Family& family, const std::string& chain,
              std::string_view table, std::string_view hooks) {
  commands.undo +=
      fmt::format("drop_chain {} {} {} {} || status=1\n", family.tool, chain, table, hooks);
  commands.counters += fmt::format("{} -w 5 -t {} -nvxL {}; ", family.tool, table, chain);
  commands.gone += fmt::format(
      "rules=$({0} -w 5 -t {2} -S) || exit 1\n"
      "case \"$rules \" in *'{1} '*|*'{1}\n'*) echo 'the chain {1} is still in {0}' >&2; exit "
      "1;; esac\n",
      family.tool, chain, table);
}

void frame(ChainCommands& commands) {
  commands.inject.insert(0, path);
  commands.undo = fmt::format("{}{}status=0\n{}", path, drop_chain, commands.undo);
  commands.counters = fmt::format("{}{{ {}}}", path, commands.counters);
  commands.gone.insert(0, path);
}

// What we let through, in this order, and then what is harmed.
std::string fill_chain(const std::string& chain, const Place& place, const Family& family,
                       const std::vector<std::string>& controllers, std::uint16_t ssh_port,
                       const std::vector<std::string>& sources, const std::vector<Harmed>& harmed) {
  std::vector<std::string> lines = {fmt::format("*{}", place.table),
                                    fmt::format(":{} - [0:0]", chain)};
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
  for (const std::string& source : sources) {
    for (const Harmed& what : harmed)
      add(fmt::format("-s {}{}{}", source, what.match.empty() ? "" : " ", what.match), what.target);
  }
  lines.push_back(fmt::format(
      "{} {} -j {}",
      place.is_first ? fmt::format("-I {} 1", place.hook) : fmt::format("-A {}", place.hook), tag,
      chain));
  lines.emplace_back("COMMIT");
  return restore_command(lines, family);
}

// What a receiving node can know the sources by, in a family; empty for one in which it can receive
// nothing.
Result<std::vector<std::string>> addresses_of(const Arena& arena, std::size_t receiver,
                                              const std::set<std::size_t>& sources,
                                              const Family& family) {
  std::vector<std::string> known;
  if (of_family(arena.addresses[receiver], family).empty()) return known;
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
      known.push_back(address);
    }
  }
  return known;
}

}  // namespace

Result<ChainCommands> chain_commands(const FaultSpec& spec, const Arena& arena,
                                     std::size_t receiver, const std::set<std::size_t>& sources,
                                     const Place& place, const std::vector<Harmed>& harmed) {
  const std::string chain = fmt::format("ORDEAL-{}", spec.id);
  ChainCommands commands;
  for (const Family& family : families) {
    const auto known = addresses_of(arena, receiver, sources, family);
    if (!known) return pass_on(known.error());
    if (known->empty()) continue;
    commands.inject +=
        fill_chain(chain, place, family, of_family(arena.controllers[receiver], family),
                   arena.ssh_ports[receiver], *known, harmed) +
        " || exit 1\n";
    add_undo(commands, family, chain, place.table, place.hook);
  }
  if (commands.counters.empty()) {
    return error(
        "no address is known by which {} could tell the nodes apart that it shall not hear",
        arena.nodes[receiver]);
  }
  frame(commands);
  return commands;
}

ChainCommands isolation_commands(const FaultSpec& spec, const Arena& arena, std::size_t node) {
  const std::string chain = fmt::format("ORDEAL-{}", spec.id);
  ChainCommands commands;
  for (const Family& family : families) {
    if (of_family(arena.addresses[node], family).empty()) continue;
    std::vector<std::string> lines = {"*filter", fmt::format(":{} - [0:0]", chain)};
    std::vector<std::string> kept = {"-i lo", "-o lo"};
    for (const char* side : {"dport", "sport"})
      kept.push_back(fmt::format("-p tcp --{} {}", side, arena.ssh_ports[node]));
    if (family.number == AF_INET6) {
      for (const int type : {133, 134, 135, 136})
        kept.push_back(fmt::format("-p ipv6-icmp -m icmp6 --icmpv6-type {}", type));
    }
    for (const std::string& match : kept)
      lines.push_back(fmt::format("-A {} {} {} -j RETURN", chain, match, tag));
    lines.push_back(fmt::format("-A {} {} -j DROP", chain, tag));
    for (const char* hook : {"INPUT", "OUTPUT"})
      lines.push_back(fmt::format("-I {} 1 {} -j {}", hook, tag, chain));
    lines.emplace_back("COMMIT");
    commands.inject += restore_command(lines, family) + " || exit 1\n";
    add_undo(commands, family, chain, "filter", "'INPUT OUTPUT'");
  }
  frame(commands);
  return commands;
}

std::string probe_rules(const Place& place, const std::string& target) {
  std::string script(path);
  script += fmt::format(
      "can() {{\n"
      "  command -v \"$1\" >/dev/null && command -v \"$1-restore\" >/dev/null ||\n"
      "    {{ echo \"$1 is not installed\" >&2; return 1; }}\n"
      "  said=$(printf '%s\\n' '*{0}' ':ORDEAL-0 - [0:0]' "
      "'-A ORDEAL-0 -p tcp --dport 22 -m comment --comment ordeal -j {2}' COMMIT |\n"
      "    \"$1-restore\" --noflush --test -w 5 2>&1) && \"$1\" -w 5 -t {0} -S {1} >/dev/null "
      "2>&1 ||\n"
      "    {{ echo \"$1 does not work here: $said\" >&2; return 1; }}\n"
      "}}\n"
      "can iptables || exit 1\n"
      // Addresses of global scope (00) in this list mean that other nodes can be reached by IPv6.
      "! grep -q '^[0-9a-f]* [0-9a-f]* [0-9a-f]* 00 ' /proc/net/if_inet6 2>/dev/null || can "
      "ip6tables || exit 1\n",
      place.table, place.hook, target);
  return script;
}

std::string sweep_rules() {
  return fmt::format(
      "{}{}status=0\n"
      "for tool in iptables ip6tables; do\n"
      "  command -v $tool >/dev/null || continue\n"
      "  for table in filter mangle; do\n"
      "    rules=$($tool -w 5 -t $table -S 2>/dev/null) || continue\n"
      "    for chain in $(printf '%s\\n' \"$rules\" |\n"
      "        sed -n 's/^-N \\(ORDEAL-[0-9][0-9]*\\)$/\\1/p'); do\n"
      "      drop_chain $tool $chain $table 'INPUT OUTPUT' || status=1\n"
      "    done\n"
      "  done\n"
      "done\n"
      "exit $status\n",
      path, drop_chain);
}

}  // namespace ordeal::nemesis
