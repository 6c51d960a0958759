// Everything that decides, against the twin that tries all orders, on random small histories.

#include <set>

#include <catch2/catch.hpp>

#include "checkers/epoch.h"
#include "checkers/linearizability.h"
#include "checkers/search.h"
#include "checkers/shrink.h"
#include "checkers/verify.h"
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

struct Tally {
  std::size_t valid = 0;
  std::size_t invalid = 0;
  std::size_t by_zones = 0;
};

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
    ++(valid ? tally.valid : tally.invalid);
    if (decide_by_zones(reg.ops)) ++tally.by_zones;
  }
  return check_report(history, bad_keys, failed_cas);
}

}  // namespace

TEST_CASE("zones, search, shrinker and verifier agree with trying all orders") {
  constexpr std::uint64_t histories = 400'000;
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
}

}  // namespace ordeal::checkers::test
