#include <csignal>
#include <cstdlib>

#include <fmt/core.h>
#include <pthread.h>

#include "core/file.h"
#include "harness/commands.h"
#include "harness/judge.h"
#include "results/compare.h"
#include "results/serve.h"
#include "results/store.h"

namespace ordeal::harness {

int serve_command(const ServeFlags& flags) {
  // Taken by sigwait below, in no thread of the server.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  auto server = results::Server::open({flags.runs, flags.address, flags.port});
  if (!server) return broken(server.error());
  const std::string place = flags.place.empty() ? "" : "run/" + flags.place;
  // A run's own page is report.html; what follows a # belongs to it.
  const std::size_t hash = place.find('#');
  const std::string path = hash == std::string::npos
                               ? place
                               : place.substr(0, hash) + "/report.html" + place.substr(hash);
  fmt::print("http://{}:{}/{}\n", flags.address, (*server)->port(), path);
  const bool is_local =
      flags.address == "localhost" || flags.address.starts_with("127.") || flags.address == "::1";
  fmt::print(stderr, "ordeal: shows {} to {}, and changes nothing; Ctrl-C ends it\n",
             flags.runs.string(),
             is_local ? "this machine only" : "whoever reaches " + flags.address);
  std::fflush(stdout);
  std::jthread answers([&] { (*server)->run(); });
  int caught = 0;
  sigwait(&ends, &caught);
  (*server)->stop();
  return 0;
}

int compare_command(const std::filesystem::path& a, const std::filesystem::path& b,
                    const OutputFlags& output) {
  const auto comparison = results::compare_runs(a, b);
  if (!comparison) return broken(comparison.error());
  fmt::print("{}", output.json ? to_page(comparison->json)
                               : results::render_comparison_terminal(*comparison));
  return 0;
}

}  // namespace ordeal::harness
