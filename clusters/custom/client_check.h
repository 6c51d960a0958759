#pragma once
// The conformance script for client programs: hello, every function, every error path, kills and
// pauses in mid-request, against a real server. Says in sentences what is right and what to mend.

#include <functional>
#include <string>
#include <vector>

#include "clusters/custom/client.h"
#include "clusters/custom/definition.h"

namespace ordeal::clusters::custom {

struct CheckLine {
  enum class Kind { good, bad, note };
  Kind kind = Kind::good;
  std::string text;
};

// What can be done to the server that the client speaks to; what is empty is not tried.
struct ServerHands {
  std::function<Result<void>()> pause, resume;
  std::function<Result<void>()> kill, start;  // start: until it can be spoken to again
};

// Talks to the program that `setup` names; each line is handed out as it is known. The server that
// the program speaks to is assumed to be new and whole, and is left so.
void check_client(const ClientSetup& setup, Nanoseconds timeout, const ServerHands& server,
                  const std::function<void(const CheckLine&)>& say);

}  // namespace ordeal::clusters::custom
