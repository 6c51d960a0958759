#pragma once
// The client of a custom cluster: a program of the user's that speaks JSON lines, guarded so that
// nothing it does can become a false alarm. Silence past the deadline, end of file, garbage, a
// wrong id or a second answer retire the process; an operation that was sent and not answered in
// order is of unknown outcome.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clusters/cluster.h"
#include "clusters/custom/definition.h"

namespace ordeal::clusters::custom {

// What client programs did wrong, by kind, of all clients of a run together. Any thread.
class Misdeeds {
 public:
  // `kind` is one of a few: "no answer", "garbage", ...; `what` is the example that is kept first.
  void note(const std::string& kind, const std::string& what);
  // "client programs: garbage 12 times, first on n3: no JSON object: ..."
  [[nodiscard]] std::vector<std::string> sentences() const;

 private:
  struct Misdeed {
    std::size_t times = 0;
    std::string first;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Misdeed> by_kind_;
};

struct ClientSetup {
  std::vector<std::string> command;
  std::filesystem::path folder;  // in which it runs
  std::filesystem::path log;     // of its standard error
  std::string node, host;
  std::vector<Function> functions;
  std::map<std::string, std::string> fail;
  Nanoseconds hello_within = 10s;
};

// Starts the program and agrees on version and functions; an Error says what to mend. The program
// is started again whenever it had to be retired. `misdeeds` outlives the client.
[[nodiscard]] Result<std::unique_ptr<Client>> open_client(const ClientSetup& setup,
                                                          Misdeeds& misdeeds);

}  // namespace ordeal::clusters::custom
