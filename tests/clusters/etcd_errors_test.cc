// The table that turns errors into `fail`: every row of it, everything that looks like a row and is
// none, and every code for itself.

#include <catch2/catch.hpp>

#include "clusters/etcd/errors.h"

namespace ordeal::clusters::etcd {
namespace {

using grpc::StatusCode;

struct Case {
  StatusCode code;
  std::string_view text;
  Outcome write;
  std::string_view error_class;
};

const Case cases[] = {
    // Refused before raft saw it.
    {StatusCode::INVALID_ARGUMENT, "etcdserver: request is too large", Outcome::fail, "rejected"},
    {StatusCode::INVALID_ARGUMENT, "etcdserver: key is not provided", Outcome::fail, "rejected"},
    {StatusCode::INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request", Outcome::fail,
     "rejected"},
    {StatusCode::UNAUTHENTICATED, "etcdserver: invalid auth token", Outcome::fail, "rejected"},
    {StatusCode::PERMISSION_DENIED, "etcdserver: permission denied", Outcome::fail, "rejected"},
    {StatusCode::FAILED_PRECONDITION, "etcdserver: authentication is not enabled", Outcome::fail,
     "rejected"},
    {StatusCode::NOT_FOUND, "etcdserver: requested lease not found", Outcome::fail, "rejected"},
    {StatusCode::UNAVAILABLE, "etcdserver: no leader", Outcome::fail, "no-leader"},
    {StatusCode::UNAVAILABLE, "etcdserver: not capable", Outcome::fail, "not-ready"},
    {StatusCode::UNAVAILABLE, "etcdserver: rpc not supported for learner", Outcome::fail,
     "not-ready"},
    {StatusCode::UNKNOWN, "etcdserver: too many requests", Outcome::fail, "overloaded"},
    {StatusCode::RESOURCE_EXHAUSTED, "etcdserver: too many requests", Outcome::fail, "overloaded"},
    {StatusCode::UNKNOWN, "raft proposal dropped", Outcome::fail, "no-leader"},
    {StatusCode::UNAVAILABLE,
     "failed to connect to all addresses; last error: UNKNOWN: Connection refused", Outcome::fail,
     "not-connected"},
    // Sounds definite and is not.
    {StatusCode::OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted",
     Outcome::info, "out-of-range"},
    {StatusCode::OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision",
     Outcome::info, "out-of-range"},
    {StatusCode::RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded", Outcome::info,
     "no-space"},
    {StatusCode::UNKNOWN, "raft: stopped", Outcome::info, "stopped"},
    {StatusCode::UNAVAILABLE, "etcdserver: server stopped", Outcome::info, "stopped"},
    {StatusCode::UNAVAILABLE, "etcdserver: leader changed", Outcome::info, "leader-changed"},
    {StatusCode::UNAVAILABLE, "etcdserver: request timed out", Outcome::info, "timeout"},
    {StatusCode::UNAVAILABLE,
     "etcdserver: request timed out, possibly due to previous leader failure", Outcome::info,
     "timeout"},
    {StatusCode::UNAVAILABLE, "etcdserver: request timed out, possibly due to connection lost",
     Outcome::info, "timeout"},
    {StatusCode::UNAVAILABLE,
     "etcdserver: request timed out, waiting for the applied index took too long", Outcome::info,
     "timeout"},
    {StatusCode::UNKNOWN, "context deadline exceeded", Outcome::info, "timeout"},
    {StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded", Outcome::info, "timeout"},
    {StatusCode::CANCELLED, "context canceled", Outcome::info, "cancelled"},
    {StatusCode::DATA_LOSS, "etcdserver: corrupt cluster", Outcome::info, "corrupt"},
    {StatusCode::UNAVAILABLE, "Socket closed", Outcome::info, "connection-lost"},
    {StatusCode::UNAVAILABLE, "recvmsg:Connection reset by peer", Outcome::info, "connection-lost"},
    {StatusCode::UNAVAILABLE, "GOAWAY received", Outcome::info, "connection-lost"},
    {StatusCode::UNAVAILABLE, "", Outcome::info, "connection-lost"},
    {StatusCode::INTERNAL, "Received RST_STREAM with error code 2", Outcome::info, "unknown"},
    // The right code with the words of somebody between us and etcd, or the right words behind
    // others.
    {StatusCode::INVALID_ARGUMENT, "bad header", Outcome::info, "unknown"},
    {StatusCode::PERMISSION_DENIED, "Received http2 header with status: 403", Outcome::info,
     "unknown"},
    {StatusCode::UNKNOWN, "wrapped: raft proposal dropped", Outcome::info, "unknown"},
    {StatusCode::UNAVAILABLE, "then failed to connect to all addresses", Outcome::info,
     "connection-lost"},
    {StatusCode::UNKNOWN, "failed to connect to all addresses", Outcome::info, "unknown"},
    {StatusCode::INTERNAL, "etcdserver: no leader", Outcome::info, "unknown"},
};

}  // namespace

TEST_CASE("etcd errors: writes and cas fail only by the table, reads by any error") {
  for (const Case& c : cases) {
    INFO(code_name(c.code) << " " << c.text);
    for (const Function function : {Function::write, Function::cas}) {
      const Classified what = classify(function, c.code, c.text);
      CHECK(to_text(what.outcome) == to_text(c.write));
      CHECK(what.error_class == c.error_class);
    }
    CHECK(classify(Function::read, c.code, c.text).outcome == Outcome::fail);
    CHECK(classify(Function::read, c.code, c.text).error_class == c.error_class);
  }
}

TEST_CASE("etcd errors: no code is definite without the server's own words") {
  for (int code = 1; code <= 16; ++code) {
    for (const std::string_view text : {"", "etcdserver", "mvcc: something", "some words"}) {
      INFO(code << " " << text);
      CHECK(classify(Function::write, static_cast<StatusCode>(code), text).outcome ==
            Outcome::info);
      CHECK(classify(Function::cas, static_cast<StatusCode>(code), text).outcome == Outcome::info);
    }
  }
}

TEST_CASE("etcd errors: the table for reports has an argument for each row") {
  const auto rows = definite_errors();
  CHECK(rows.size() > 10);
  for (const DefiniteError& row : rows) {
    INFO(row.error);
    CHECK_FALSE(row.error.empty());
    CHECK(row.argument.size() > 20);
    CHECK(row.error.find("OUT_OF_RANGE") == std::string_view::npos);
    CHECK(row.error.find("DEADLINE") == std::string_view::npos);
  }
}

TEST_CASE("etcd errors: described with class, code and words, bounded and printable") {
  CHECK(describe("timeout", StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded") ==
        "timeout: DEADLINE_EXCEEDED Deadline Exceeded");
  CHECK(describe("unknown", StatusCode::DO_NOT_USE, "x") == "unknown: UNSPECIFIED x");
  const std::string odd = describe("unknown", StatusCode::UNKNOWN, "a\nb\xff\x01");
  CHECK(odd == "unknown: UNKNOWN a?b??");
  CHECK(describe("unknown", StatusCode::UNKNOWN, std::string(100000, 'x')).size() < 300);
}

}  // namespace ordeal::clusters::etcd
