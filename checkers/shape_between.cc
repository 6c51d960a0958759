#include <algorithm>

#include <fmt/format.h>

#include "checkers/shapes.h"

namespace ordeal::checkers {

namespace {

// Values of a chain of compare-and-sets of the core, first to last, with the operations between
// them.
struct Chain {
  std::vector<ValueId> values;
  std::vector<const RegisterOp*> links;
};

Chain chain_from(const BadKey& bad, ValueId value) {
  Chain chain;
  chain.values.push_back(value);
  while (chain.links.size() < bad.core.ops.size()) {
    const auto link = std::ranges::find_if(bad.core.ops, [&](const RegisterOp& op) {
      return op.observes == chain.values.back() && !op.is_read();
    });
    if (link == bad.core.ops.end() || !bad.is_unrepeated(link->sets)) break;
    chain.links.push_back(&*link);
    chain.values.push_back(link->sets);
  }
  return chain;
}

struct Proof {
  const RegisterOp* earlier = nullptr;
  const RegisterOp* later = nullptr;
};

// Certain operations on the two values that show by real time that `first` was there before
// `second`.
Proof find_proof(const BadKey& bad, ValueId first, ValueId second) {
  for (const RegisterOp& earlier : bad.core.ops) {
    if (earlier.sets != first && earlier.observes != first) continue;
    for (const RegisterOp& later : bad.core.ops) {
      const bool proves = later.sets == second || (later.observes == second && later.is_certain());
      if (proves && earlier.precedes(later)) return {&earlier, &later};
    }
  }
  return {};
}

Reason proof_reason(const BadKey& bad, const Proof& proof, ValueId first, ValueId second) {
  return {fmt::format("{} {} and was answered {} {}, which {}, began: so {} was there before {}.",
                      BadKey::name(*proof.earlier), bad.deed(*proof.earlier),
                      bad.gap(*proof.earlier, *proof.later), BadKey::name(*proof.later),
                      bad.deed(*proof.later), bad.value(first), bad.value(second)),
          {proof.earlier->invoked, proof.later->invoked}};
}

// What tells that the read which breaks the order was merely behind, and that `between`, shown to
// have been there by `proof`, came after the chain: the positions in the system's own order that
// the answers carried, or a later operation that found it. Empty when nothing does.
std::string proof_of_staleness(const BadKey& bad, ValueId between, const RegisterOp& proof) {
  const RegisterOp& breaks = bad.core.breaks;
  if (!breaks.is_read()) return {};
  const std::int64_t then = bad.recorded(proof).revision;
  const std::int64_t now = bad.recorded(breaks).revision;
  if (now > 0 && now < then) {
    return fmt::format("by the system's own order {} was answered at revision {}, before {} at {}",
                       BadKey::name(breaks), now, BadKey::name(proof), then);
  }
  const auto saw = std::ranges::find_if(bad.reg.ops, [&](const RegisterOp& op) {
    return op.is_certain() && op.observes == between && op.invoked > breaks.completed;
  });
  if (saw == bad.reg.ops.end()) return {};
  return fmt::format("{} found {} afterwards", BadKey::name(*saw), bad.value(between));
}

bool explain_inside(const BadKey& bad, const Chain& chain, std::size_t to, ValueId between,
                    Finding& finding) {
  const ValueId first = chain.values.front();
  const ValueId last = chain.values[to];
  const Proof after = find_proof(bad, first, between);
  const Proof before = find_proof(bad, between, last);
  if (after.earlier == nullptr || before.earlier == nullptr) return false;

  Reason straight = {"", {}};
  for (std::size_t i = 0; i < to; ++i) {
    straight.text += fmt::format("{}{} {}", i == 0 ? "" : ", ", BadKey::name(*chain.links[i]),
                                 bad.deed(*chain.links[i]));
    straight.evidence.push_back(chain.links[i]->invoked);
  }
  straight.text +=
      fmt::format(": nothing came between {} and {}.", bad.value(first), bad.value(last));
  finding.kind = FindingKind::nonlinearizable;
  finding.headline = fmt::format(
      "{} was {} between {} and {}, although a compare-and-set led from one to the other",
      bad.key(), bad.value(between), bad.value(first), bad.value(last));
  finding.reasons = {std::move(straight),
                     proof_reason(bad, after, first, between),
                     proof_reason(bad, before, between, last),
                     {fmt::format("Each of these values was there only once ({}). Contradiction.",
                                  bad.accounting()),
                      {bad.core.breaks.invoked}}};
  finding.diagnosis =
      fmt::format("the compare-and-set did not notice {}, which was there before it took effect",
                  bad.value(between));
  const std::string stale = before.later->invoked == bad.core.breaks.invoked
                                ? proof_of_staleness(bad, between, *before.earlier)
                                : "";
  if (!stale.empty()) {
    finding.kind = FindingKind::stale_read;
    finding.headline = stale_headline(bad, between, *before.earlier, finding.kind);
    finding.diagnosis = "stale, not lost: " + stale;
  }
  return true;
}

}  // namespace

bool explain_between(const BadKey& bad, Finding& finding) {
  std::vector<ValueId> values;
  for (const RegisterOp& op : bad.core.ops) {
    for (const ValueId value : {op.observes, op.sets}) {
      if (value != no_value && bad.is_unrepeated(value)) values.push_back(value);
    }
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  for (const ValueId start : values) {
    const Chain chain = chain_from(bad, start);
    for (std::size_t to = 1; to < chain.values.size(); ++to) {
      for (const ValueId between : values) {
        const auto inside = chain.values.begin() + static_cast<std::ptrdiff_t>(to) + 1;
        if (std::find(chain.values.begin(), inside, between) != inside) continue;
        if (explain_inside(bad, chain, to, between, finding)) return true;
      }
    }
  }
  return false;
}

}  // namespace ordeal::checkers
