#pragma once
// ordeal serve: the stored runs in a browser. Read-only, on the loopback unless asked otherwise,
// confined to the folder of runs; what is in a run's directory is shown as text, except for the
// pages that Ordeal wrote itself. Every view has the JSON that it is made from beside it.
//
//   /                       list of runs, filters, groups by signature    /api/runs.json
//   /trend                  nights by workload, faults and version        the same
//   /run/NAME/              report.html, or the live page of a run that goes on
//   /run/NAME/FILE          any file of it; logs in a viewer (?raw=1 without), #L12 is line 12
//   /api/live/NAME.json     how far a run that goes on is
//   /compare?a=NAME&b=NAME  two runs                                      /api/compare.json?a=&b=
//   /finding/NAME/N         findings/N/finding.html

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"

namespace ordeal::results {

struct ServeOptions {
  std::filesystem::path runs = "runs";
  std::string address = "127.0.0.1";
  int port = 8180;  // 0: any free one
};

class Server {
 public:
  // Binds. An Error says why that is not possible.
  [[nodiscard]] static Result<std::unique_ptr<Server>> open(const ServeOptions& options);
  virtual ~Server() = default;
  [[nodiscard]] virtual int port() const = 0;
  // Answers requests, on threads of its own, until stop() is called from another thread.
  virtual void run() = 0;
  virtual void stop() = 0;
};

// The part of a request's path that names a file of a run, checked: the file itself, which exists
// and lies in the run's directory, whatever links there are. An Error otherwise.
[[nodiscard]] Result<std::filesystem::path> confined(const std::filesystem::path& runs,
                                                     const std::string& run,
                                                     const std::string& file);

}  // namespace ordeal::results
