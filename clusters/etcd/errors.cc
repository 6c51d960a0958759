#include "clusters/etcd/errors.h"

#include <optional>

#include <fmt/core.h>

namespace ordeal::clusters::etcd {
namespace {

using grpc::StatusCode;

// Our requests are single puts, and transactions of one comparison and one put, without leases,
// users or nested transactions. The arguments below rest on that.
struct Rule {
  std::optional<StatusCode> code;  // empty: any
  std::string_view prefix;         // of the message; "etcdserver: " is what etcd itself begins with
  std::string_view error_class;
  DefiniteError shown;
};

// Excluded on purpose, though they read like refusals:
//   OUT_OF_RANGE on a transaction with a write: one replica can refuse it while the others apply
//   it. RESOURCE_EXHAUSTED "database space exceeded": also the verdict of one replica while
//   applying. UNKNOWN "raft: stopped": a server that is stopping may answer so after its raft took
//   the proposal, since
//     it waits for either of the two events.
constexpr Rule definite_rules[] = {
    {StatusCode::INVALID_ARGUMENT,
     "etcdserver: ",
     "rejected",
     {"INVALID_ARGUMENT etcdserver: *",
      "etcd validates size, keys and tokens before it proposes the request to raft"}},
    {StatusCode::UNAUTHENTICATED,
     "etcdserver: ",
     "rejected",
     {"UNAUTHENTICATED etcdserver: *",
      "the token is checked before the request is proposed to raft"}},
    {StatusCode::PERMISSION_DENIED,
     "etcdserver: ",
     "rejected",
     {"PERMISSION_DENIED etcdserver: *",
      "every replica decides it alike from the replicated users, before the write"}},
    {StatusCode::FAILED_PRECONDITION,
     "etcdserver: ",
     "rejected",
     {"FAILED_PRECONDITION etcdserver: *", "a precondition is checked before anything is changed"}},
    {StatusCode::NOT_FOUND,
     "etcdserver: ",
     "rejected",
     {"NOT_FOUND etcdserver: *",
      "what the request refers to is looked up before anything is changed"}},
    {StatusCode::UNAVAILABLE,
     "etcdserver: no leader",
     "no-leader",
     {"UNAVAILABLE etcdserver: no leader",
      "the server's interceptor refuses before the request is handled"}},
    {StatusCode::UNAVAILABLE,
     "etcdserver: not capable",
     "not-ready",
     {"UNAVAILABLE etcdserver: not capable",
      "the server's interceptor refuses before the request is handled"}},
    {StatusCode::UNAVAILABLE,
     "etcdserver: rpc not supported for learner",
     "not-ready",
     {"UNAVAILABLE etcdserver: rpc not supported for learner",
      "the server's interceptor refuses before the request is handled"}},
    {std::nullopt,
     "etcdserver: too many requests",
     "overloaded",
     {"* etcdserver: too many requests",
      "the backlog is measured before the request is proposed to raft; 3.4 sends it as UNKNOWN"}},
    {StatusCode::UNKNOWN,
     "raft proposal dropped",
     "no-leader",
     {"UNKNOWN raft proposal dropped",
      "raft on the contacted node refused the proposal before its log or the network saw it"}},
    {StatusCode::UNAVAILABLE,
     "failed to connect to all addresses",
     "not-connected",
     {"UNAVAILABLE failed to connect to all addresses",
      "gRPC had no connection to put the request on, and retries are off"}},
};

// For reading only: the outcome of all of these is unknown.
struct Name {
  std::optional<StatusCode> code;
  std::string_view part;  // of the message
  std::string_view error_class;
};

constexpr Name names[] = {
    {StatusCode::DEADLINE_EXCEEDED, "", "timeout"},
    {std::nullopt, "etcdserver: request timed out", "timeout"},
    {std::nullopt, "context deadline exceeded", "timeout"},
    {std::nullopt, "etcdserver: leader changed", "leader-changed"},
    {std::nullopt, "etcdserver: server stopped", "stopped"},
    {std::nullopt, "raft: stopped", "stopped"},
    {std::nullopt, "database space exceeded", "no-space"},
    {StatusCode::OUT_OF_RANGE, "etcdserver: ", "out-of-range"},
    {StatusCode::DATA_LOSS, "", "corrupt"},
    {StatusCode::CANCELLED, "", "cancelled"},
    {StatusCode::UNAVAILABLE, "", "connection-lost"},
};

std::string_view name_of(StatusCode code, std::string_view text) {
  for (const Name& name : names) {
    if (name.code && *name.code != code) continue;
    if (text.find(name.part) != std::string_view::npos) return name.error_class;
  }
  return "unknown";
}

const Rule* proof(StatusCode code, std::string_view text) {
  for (const Rule& rule : definite_rules) {
    if (rule.code && *rule.code != code) continue;
    if (text.substr(0, rule.prefix.size()) == rule.prefix) return &rule;
  }
  return nullptr;
}

}  // namespace

Classified classify(Function function, StatusCode code, std::string_view text) {
  const Rule* rule = proof(code, text);
  const std::string_view error_class = rule != nullptr ? rule->error_class : name_of(code, text);
  const bool no_effect =
      rule != nullptr || function == Function::read || function == Function::watch;
  return {no_effect ? Outcome::fail : Outcome::info, error_class};
}

std::vector<DefiniteError> definite_errors() {
  std::vector<DefiniteError> errors = {
      {"not-connected", "there was no connection to the node until the deadline: nothing was sent"},
      {cas_mismatch, "etcd executed the transaction and answers that the comparison was false"},
      {"unsupported", "the request has no equivalent in etcd: nothing was sent"},
      {"any error of a read", "a read changes nothing, and its answer was not seen"},
  };
  for (const Rule& rule : definite_rules) errors.push_back(rule.shown);
  return errors;
}

std::string_view code_name(StatusCode code) {
  static constexpr std::string_view code_names[] = {
      "OK",
      "CANCELLED",
      "UNKNOWN",
      "INVALID_ARGUMENT",
      "DEADLINE_EXCEEDED",
      "NOT_FOUND",
      "ALREADY_EXISTS",
      "PERMISSION_DENIED",
      "RESOURCE_EXHAUSTED",
      "FAILED_PRECONDITION",
      "ABORTED",
      "OUT_OF_RANGE",
      "UNIMPLEMENTED",
      "INTERNAL",
      "UNAVAILABLE",
      "DATA_LOSS",
      "UNAUTHENTICATED",
  };
  const auto position = static_cast<std::size_t>(code);
  return position < std::size(code_names) ? code_names[position] : "UNSPECIFIED";
}

std::string describe(std::string_view error_class, StatusCode code, std::string_view text) {
  constexpr std::size_t longest = 200;
  std::string words =
      fmt::format("{}: {} {}", error_class, code_name(code), text.substr(0, longest));
  for (char& c : words)
    if (c < ' ' || c > '~') c = '?';
  if (text.size() > longest) words += "...";
  return words;
}

}  // namespace ordeal::clusters::etcd
