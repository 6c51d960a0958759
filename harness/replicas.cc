#include "harness/replicas.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace ordeal::harness {

namespace {

// Replicas that hash their state, by revision and hash.
using Holdings = std::map<std::int64_t, std::map<std::string, std::vector<std::string>>>;

Holdings holdings_of(const std::vector<Replica>& replicas) {
  Holdings holdings;
  for (const Replica& replica : replicas) {
    if (replica.answers && !replica.hash.empty())
      holdings[replica.revision][replica.hash].push_back(replica.node);
  }
  return holdings;
}

std::string names(const std::vector<std::string>& nodes) {
  return fmt::format("{}", fmt::join(nodes, " "));
}

std::uint64_t committed_by_all(const std::vector<Replica>& replicas) {
  std::uint64_t highest = 0;
  for (const Replica& replica : replicas) highest = std::max(highest, replica.committed);
  return highest;
}

Finding finding_of(std::string headline, std::vector<Reason> reasons, Nanoseconds at) {
  Finding finding;
  finding.kind = FindingKind::divergence;
  finding.headline = std::move(headline);
  finding.promise = "replicas at rest hold the same state";
  finding.promise_source =
      "it is what replication means: every replica applies one sequence of changes";
  finding.reasons = std::move(reasons);
  finding.certainty = Certainty::proven;
  finding.certainty_basis =
      "the nodes' own words, asked for again and again until nothing changed any more";
  finding.diagnosis = "no client was at work, every fault was undone, and every node answered";
  finding.at = at;
  finding.signature = to_text(finding.kind);
  return finding;
}

}  // namespace

bool at_rest_and_equal(const std::vector<Replica>& replicas) {
  const std::uint64_t committed = committed_by_all(replicas);
  const bool applied = std::all_of(replicas.begin(), replicas.end(), [&](const Replica& replica) {
    const bool even = replica.committed == committed && replica.applied == committed;
    return replica.answers && (committed == 0 || even);
  });
  const Holdings holdings = holdings_of(replicas);
  return applied && holdings.size() <= 1 &&
         (holdings.empty() || holdings.begin()->second.size() == 1);
}

CheckReport check_replicas(const std::vector<Replica>& replicas, Nanoseconds at) {
  CheckReport report;
  report.checker = "replicas-agree";
  for (const auto& [revision, states] : holdings_of(replicas)) {
    if (states.size() < 2) continue;
    std::vector<Reason> reasons;
    for (const auto& [hash, nodes] : states) {
      reasons.push_back({fmt::format("{}: the hash of the whole state at revision {} is {}",
                                     names(nodes), revision, hash),
                         {}});
    }
    Reason& rule = reasons.emplace_back();
    rule.text = "the same revision is the same sequence of changes, so it must give the same state";
    report.findings.push_back(finding_of(
        fmt::format("{} and {} hold different states at revision {}", names(states.begin()->second),
                    names(std::next(states.begin())->second), revision),
        std::move(reasons), at));
  }
  report.answer =
      report.findings.empty() ? CheckReport::Answer::valid : CheckReport::Answer::invalid;
  return report;
}

std::vector<std::string> replicas_behind(const std::vector<Replica>& replicas) {
  std::vector<std::string> sentences;
  const std::uint64_t committed = committed_by_all(replicas);
  for (const Replica& replica : replicas) {
    if (!replica.answers || replica.applied == committed || committed == 0) continue;
    sentences.push_back(
        fmt::format("{} had applied position {} of its log when {} was committed and nobody asked "
                    "for anything more: it is stuck, or too slow to tell",
                    replica.node, replica.applied, committed));
  }
  return sentences;
}

}  // namespace ordeal::harness
