// ordeal-node: the one program that Ordeal pushes to nodes. Static, without any dependency, a
// subcommand a task.

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "nemesis/node/guard.h"

namespace {

int usage() {
  std::fputs(
      "usage: ordeal-node guard [--timeout SECONDS] [--command-timeout SECONDS] "
      "[--wait SECONDS] [--directory DIR]\n",
      stderr);
  return 64;
}

// Zero for what is not a positive number.
long long milliseconds(const char* seconds) {
  char* end = nullptr;
  const double value = std::strtod(seconds, &end);
  return *end == '\0' && value > 0 && value < 1e6 ? static_cast<long long>(value * 1000) : 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2 || std::string_view(arguments[1]) != "guard") return usage();
  ordeal::node::GuardSettings settings;
  for (int i = 2; i < count; i += 2) {
    if (i + 1 == count) return usage();
    const std::string_view name = arguments[i];
    const char* value = arguments[i + 1];
    if (name == "--directory") {
      settings.directory = value;
    } else if (name == "--timeout") {
      settings.silence_ms = milliseconds(value);
    } else if (name == "--command-timeout") {
      settings.command_ms = milliseconds(value);
    } else if (name == "--wait") {
      settings.wait_ms = milliseconds(value);
    } else {
      return usage();
    }
  }
  if (settings.silence_ms == 0 || settings.command_ms == 0 || settings.wait_ms == 0) return usage();
  return ordeal::node::run_guard(settings);
}
