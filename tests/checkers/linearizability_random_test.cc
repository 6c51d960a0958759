// Everything that decides, against the twin that tries all orders, on random small histories.

#include <set>

#include <catch2/catch.hpp>

#include "checkers/epoch.h"
#include "checkers/linearizability.h"
#include "checkers/revisions.h"
#include "checkers/search.h"
#include "checkers/sequential.h"
#include "checkers/shrink.h"
#include "checkers/verify.h"
#include "checkers/witness.h"
#include "checkers/zone_order.h"
#include "checkers/zones.h"
#include "tests/checkers/brute_force.h"
#include "tests/checkers/script.h"

namespace ordeal::checkers::test {

namespace {

const Budget plenty = {Deadline::after(10min), std::size_t{1} << 30U};

// The first thing that is wrong, empty when nothing is. Called often: assertions would be slower by
// far.
using Complaint = std::string;

bool says(const Decision& decision, bool valid) {
  return decision.answer == (valid ? Decision::Answer::valid : Decision::Answer::invalid);
}

Complaint check_deciders(const Register& reg, bool valid) {
  if (!says(decide_by_search(reg.ops, plenty), valid)) return "search of all operations";
  if (!says(*decide_by_epochs(reg.ops, reg.values.size(), plenty), valid)) {
    return "epochs of all operations";
  }
  std::vector<RegisterOp> ops = reg.ops;
  drop_unobservable(ops, reg.values.size());
  if (is_linearizable_by_force(ops) != valid) return "dropping unobservable operations";
  if (!says(decide_by_search(ops, plenty), valid)) return "search";
  if (!says(*decide_by_epochs(ops, reg.values.size(), plenty), valid)) return "epochs";
  const auto zones = decide_by_zones(reg.ops);
  if (zones && *zones != valid) return "zones";
  return {};
}

// What SoundSubsets leaves of a possible history must be possible.
Complaint check_soundness(const Register& reg, Rng& rng) {
  const SoundSubsets sound(reg.ops, reg.values.size());
  std::vector<bool> wanted(reg.ops.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = rng.chance(0.5);
  const std::vector<bool> kept = sound.around(wanted);
  std::vector<RegisterOp> left;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (wanted[i] && !kept[i]) return "a wanted operation is missing";
    if (kept[i]) left.push_back(reg.ops[i]);
  }
  return is_linearizable_by_force(left) ? "" : "an unsound subset";
}

Complaint check_core(const Register& reg) {
  const Core core = shrink(reg.ops, reg.values.size(), plenty, 1min);
  if (!core.is_minimal) return "not minimal by its own word";
  if (is_linearizable_by_force(core.prefix)) return "the bad prefix is possible";
  if (!is_linearizable_by_force(prefix_of(reg.ops, core.breaks.completed - 1))) {
    return "a shorter prefix is impossible";
  }
  if (is_linearizable_by_force(core.ops)) return "the core is possible";
  const SoundSubsets sound(core.prefix, reg.values.size());
  for (const RegisterOp& out : core.ops) {
    std::vector<bool> wanted;
    for (const RegisterOp& op : core.prefix) {
      const auto same = [&](const RegisterOp& other) { return other.invoked == op.invoked; };
      wanted.push_back(op.invoked != out.invoked && std::ranges::any_of(core.ops, same));
    }
    const std::vector<bool> kept = sound.around(wanted);
    std::vector<RegisterOp> left;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (kept[i]) left.push_back(core.prefix[i]);
    }
    if (left.size() < core.ops.size() && !is_linearizable_by_force(left))
      return "an operation could be left out";
  }
  return {};
}

Complaint check_finding(const History& history, const Finding& finding, FailedCas failed_cas) {
  if (finding.certainty != Certainty::proven) return "not proven";
  if (some_order_exists(finding.witness, Keep::real_time, failed_cas) != false)
    return "the verifier does not agree";
  if (finding.headline.empty() || finding.diagnosis.empty() || finding.reasons.empty())
    return "not explained";
  std::set<EventIndex> ids;
  for (const Operation& op : history.operations) {
    if (op.key == finding.key) ids.insert(op.invoked);
  }
  std::size_t breaking = 0;
  for (const WitnessOperation& op : finding.witness) {
    if (!ids.contains(op.id)) return "the witness is of another key";
    if (op.breaks) ++breaking;
    if (op.breaks && finding.bad_prefix_events != op.completed + 1U)
      return "the prefix ends elsewhere";
  }
  for (const Reason& reason : finding.reasons) {
    for (const EventIndex id : reason.evidence) {
      if (!ids.contains(id)) return "evidence of another key";
    }
  }
  return breaking == 1 ? "" : "not one breaking operation";
}

struct Tally {
  std::size_t valid = 0;
  std::size_t invalid = 0;
  std::size_t by_zones = 0;
  std::size_t by_revisions = 0;
  std::size_t sequential = 0;  // and not linearizable
  std::size_t not_sequential = 0;
};

bool is_right_order(const std::vector<RegisterOp>& ops, const std::vector<std::uint32_t>& order) {
  std::set<std::uint32_t> left;
  for (std::uint32_t i = 0; i < ops.size(); ++i) {
    if (ops[i].is_certain()) left.insert(i);
  }
  ValueId state = nil_value;
  for (std::size_t at = 0; at < order.size(); ++at) {
    const RegisterOp& op = ops[order[at]];
    left.erase(order[at]);
    if (op.observes != no_value && op.observes != state) return false;
    if (op.denies == state) return false;
    if (op.sets != no_value) state = op.sets;
    for (std::size_t before = 0; before < at; ++before) {
      if (order[before] == order[at] || op.precedes(ops[order[before]])) return false;
    }
  }
  return left.empty();
}

Complaint check_revisions(const History& history, const Register& reg, bool valid, Tally& tally) {
  const auto order = order_by_revisions(reg.ops, history);
  if (!order) return {};
  ++tally.by_revisions;
  if (!valid) return "an order by revisions where there is none";
  return is_right_order(reg.ops, *order) ? "" : "a wrong order by revisions";
}

Complaint check_zone_order(const Register& reg) {
  if (decide_by_zones(reg.ops) != true) return {};
  const auto order = order_by_zones(reg.ops, reg.values.size());
  return order && is_right_order(reg.ops, *order) ? "" : "a wrong order by zones";
}

Complaint check_sequential(const History& history, const Register& reg, bool valid, Tally& tally) {
  const auto sequential = is_sequential(reg, history);
  if (!sequential) return {};
  if (!*sequential) ++tally.not_sequential;
  if (*sequential && !valid) ++tally.sequential;
  std::vector<WitnessOperation> all;
  for (const RegisterOp& op : reg.ops) {
    all.push_back(witness_of(history, history.operations[op.source]));
  }
  return some_order_exists(all, Keep::client_order) == sequential ? "" : "sequential consistency";
}

Complaint check_report(const History& history, const std::set<std::string>& bad_keys,
                       FailedCas failed_cas) {
  CheckOptions options;
  options.failed_cas = failed_cas;
  options.deadline = Deadline::after(1min);
  const CheckReport report = check_linearizable_register(history, options);
  const auto expected =
      bad_keys.empty() ? CheckReport::Answer::valid : CheckReport::Answer::invalid;
  if (report.answer != expected || !report.undecided.empty()) return "the report's answer";
  std::set<std::string> found;
  for (const Finding& finding : report.findings) {
    found.insert(to_text(finding.key));
    if (Complaint complaint = check_finding(history, finding, failed_cas); !complaint.empty())
      return complaint;
  }
  return found == bad_keys ? "" : "the keys of the findings";
}

Complaint check_history(const History& history, FailedCas failed_cas, Rng& rng, Tally& tally) {
  std::set<std::string> bad_keys;
  for (const KeyOperations& key : split_by_key(history)) {
    const Register reg = read_register(history, key, failed_cas);
    const bool valid = is_linearizable_by_force(history, key.key, failed_cas);
    if (!valid) bad_keys.insert(to_text(key.key));
    if (Complaint complaint = check_deciders(reg, valid); !complaint.empty()) return complaint;
    if (Complaint complaint = valid ? check_soundness(reg, rng) : check_core(reg);
        !complaint.empty()) {
      return complaint;
    }
    if (Complaint complaint = check_revisions(history, reg, valid, tally); !complaint.empty()) {
      return complaint;
    }
    if (Complaint complaint = check_zone_order(reg); !complaint.empty()) return complaint;
    if (Complaint complaint = check_sequential(history, reg, valid, tally); !complaint.empty()) {
      return complaint;
    }
    ++(valid ? tally.valid : tally.invalid);
    if (decide_by_zones(reg.ops)) ++tally.by_zones;
  }
  return check_report(history, bad_keys, failed_cas);
}

}  // namespace

TEST_CASE("zones, search, shrinker and verifier agree with trying all orders") {
  const std::uint64_t histories = histories_to_try(400'000);
  Tally tally;
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    Rng rng(seed);
    const History history = random_history(random_shape(rng), rng);
    const FailedCas failed_cas = rng.chance(0.3) ? FailedCas::evidence : FailedCas::ignored;
    const Complaint complaint = check_history(history, failed_cas, rng, tally);
    if (!complaint.empty()) FAIL("seed " << seed << ": " << complaint << "\n" << to_text(history));
  }
  // The comparison is worth something only if it saw enough of everything.
  CHECK(tally.valid > histories / 5);
  CHECK(tally.invalid > histories / 5);
  CHECK(tally.by_zones > histories / 5);
  CHECK(tally.by_revisions > histories / 10);
  CHECK(tally.sequential > histories / 200);
  CHECK(tally.not_sequential > histories / 20);
}

}  // namespace ordeal::checkers::test
