#pragma once
// Which answers of etcd prove that an operation did not happen. This is the one place where an
// error becomes `fail`; whatever is not in the table is `info`. A wrong row here makes Ordeal
// accuse etcd of what it did not do, so each row carries its argument, and reports print them.
// Argued for etcd 3.4, held to in later ones.

#include <string>
#include <string_view>
#include <vector>

#include <grpcpp/support/status_code_enum.h>

#include "clusters/cluster.h"
#include "core/op.h"

namespace ordeal::clusters::etcd {

struct Classified {
  Outcome outcome = Outcome::info;
  std::string_view
      error_class;  // "timeout", "connection-lost", ...: what the completion's error begins with
};

// What an RPC that ended in an error amounts to. Reads and watches have no effect, so any error of
// theirs is `fail`.
[[nodiscard]] Classified classify(Function function, grpc::StatusCode code, std::string_view text);

// The table for reports, with the cases that never reach classify(): no connection, and a cas that
// differed.
[[nodiscard]] std::vector<DefiniteError> definite_errors();

// "UNAVAILABLE", "INVALID_ARGUMENT": as the gRPC specification spells them.
[[nodiscard]] std::string_view code_name(grpc::StatusCode code);

// "timeout: DEADLINE_EXCEEDED Deadline Exceeded": printable ASCII of bounded length.
[[nodiscard]] std::string describe(std::string_view error_class, grpc::StatusCode code,
                                   std::string_view text);

}  // namespace ordeal::clusters::etcd
