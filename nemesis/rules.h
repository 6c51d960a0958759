#pragma once
// Rules of ours in the packet filter of a node, by iptables and ip6tables: one chain a fault, named
// ORDEAL-<fault>, with one jump to it from each hook; every line carries the comment "ordeal". Pure
// functions that make shell commands. A chain is put in, and taken out, in one transaction; nothing
// that is not named like that is ever touched.

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

struct Place {
  std::string_view table, hook;
  bool is_first;  // the jump comes before the rules of others, or behind them
};
// What is dropped must not be let in by others before; what is delayed should have passed them.
inline constexpr Place before_others{"filter", "INPUT", true};
inline constexpr Place behind_others{"mangle", "INPUT", false};

struct Harmed {
  std::string match;   // "-p tcp --dport 2380 "; empty: all packets
  std::string target;  // "DROP"
};

struct ChainCommands {
  std::string inject, undo;
  std::string counters;  // prints the rules with their counters; for evidence
  std::string gone;      // status 1 while something of it is left; prints nothing
};
// What a node does to packets from some other nodes; neighbour discovery, our own SSH and its
// addresses are let through first. An Error when the nodes cannot be told apart, or when Ordeal
// itself would be cut off.
[[nodiscard]] Result<ChainCommands> chain_commands(const FaultSpec& spec, const Arena& arena,
                                                   std::size_t receiver,
                                                   const std::set<std::size_t>& sources,
                                                   const Place& place,
                                                   const std::vector<Harmed>& harmed);

// A node that nothing reaches and that reaches nothing, but for SSH to it, neighbour discovery and
// itself: what a machine without power is to others.
[[nodiscard]] ChainCommands isolation_commands(const FaultSpec& spec, const Arena& arena,
                                               std::size_t node);

// Succeeds where a rule with that target can be made.
[[nodiscard]] std::string probe_rules(const Place& place, const std::string& target);
// Takes out the chains of all faults.
[[nodiscard]] std::string sweep_rules();

}  // namespace ordeal::nemesis
