#pragma once
// The plug-in border of faults. A fault kind decides, as pure functions, what it can do, what to
// draw and which shell commands do it, undo it and prove both on each node. The runner (nemesis.h)
// does the rest, the same for all kinds: undo on the guard and in the ledger first, then inject,
// evidence, hold, heal, evidence.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clusters/cluster.h"
#include "core/fault.h"
#include "core/random.h"

namespace ordeal::nemesis {

// What a fault may know of the cluster at planning (without roles) and at injection.
struct Arena {
  std::vector<std::string> nodes;  // names
  std::vector<std::vector<std::string>>
      addresses;  // IPv4 and IPv6 of each node, of no other node too
  std::vector<std::vector<std::string>>
      controllers;                            // addresses from which our SSH reaches each node
  std::vector<std::uint16_t> ssh_ports;       // of each node
  std::vector<std::string> zones;             // failure domain of each node; empty: none is known
  std::optional<std::size_t> leader;          // now; unknown when nobody says so
  clusters::Cluster* cluster = nullptr;       // for start_command and the like
  std::string directory = "/var/lib/ordeal";  // of ours on every node
  // The program that Ordeal has pushed there.
  [[nodiscard]] std::string program() const { return directory + "/bin/ordeal-node"; }
};

// What to do on one node. All commands are run by /bin/sh as root.
struct NodeAction {
  std::size_t node = 0;
  std::string undo;    // idempotent; touches only what `inject` made; run by the guard, also when
                       // Ordeal is dead
  std::string inject;  // run by the guard too, so that its undo can never come before it
  std::string effect;  // exit status 0 and a line of evidence once the fault is in effect
  std::string healed;  // exit status 0 and a line of evidence once it is undone
  // Done on every node of the fault before the undo of any of them, so that what is lost is lost on
  // all at once; only while Ordeal lives, so `undo` must not need it. Idempotent.
  std::string before_undo;
  // What only the cluster's own interface can do: names of its actions (clusters/cluster.h), asked
  // for by Ordeal itself, `administer` before `inject`, `restore` before `undo`.
  std::string administer, restore;
};

struct Injection {
  std::string resolved;  // for people: "n1 n2 | n3 n4 n5"
  std::vector<NodeAction> actions;
};

// What a kind works on. Two faults that touch the same are never on at once: one would undo, or
// hide, the other.
enum class Touches { network, server, everything };

// How reports draw a kind.
struct Drawing {
  std::string_view colour;  // CSS, from a colour-blind safe palette
  std::string_view symbol;  // one character
};

class Fault {
 public:
  virtual ~Fault() = default;
  [[nodiscard]] virtual std::string_view kind() const = 0;
  [[nodiscard]] virtual std::string_view summary() const = 0;
  [[nodiscard]] virtual Drawing drawing() const = 0;
  // Fewer nodes have nothing to be harmed in this way.
  [[nodiscard]] virtual std::size_t least_nodes() const { return 1; }
  [[nodiscard]] virtual Touches touches() const = 0;
  // Whether it may be on and off in turns, or go from node to node (see turns.h).
  [[nodiscard]] virtual bool can_flap() const { return false; }
  [[nodiscard]] virtual bool can_roll() const { return false; }
  // Harm that a node may not be ready for, or that most systems do not promise to withstand:
  // `--nemesis all` leaves it out, and who wants it names it.
  [[nodiscard]] virtual bool by_name_only() const { return false; }
  // An Error says what such a cluster does not offer that this fault needs. Asked at planning.
  [[nodiscard]] virtual Result<void> fits(const clusters::Cluster&) const { return {}; }
  // A shell command that succeeds where the node can take this fault, and otherwise says why not on
  // stderr. Asked before the run. The arena has no leader and, for a fresh node, no server yet.
  [[nodiscard]] virtual std::string probe(const Arena& arena, std::size_t node) const = 0;
  // Kind, targets and parameters of one fault; the schedule (id, begin, duration) is the caller's.
  [[nodiscard]] virtual FaultSpec draw(Rng& rng, std::size_t nodes) const = 0;
  // Targets resolved, commands made. Pure: the same spec and arena give the same commands.
  [[nodiscard]] virtual Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const = 0;
  // Undoes whatever faults of this kind earlier runs may have left on a node; idempotent. `program`
  // is that of Arena.
  [[nodiscard]] virtual std::string sweep(const std::string& program) const = 0;
};

// The list of faults that Ordeal comes with.
[[nodiscard]] const std::vector<std::unique_ptr<Fault>>& faults();
[[nodiscard]] const Fault* fault_named(std::string_view kind);

}  // namespace ordeal::nemesis
