// ordeal-node: the one program that Ordeal pushes to nodes. Static, without any dependency, a
// subcommand a task.

#include <cstdio>
#include <string_view>

#include "nemesis/node/guard.h"
#include "nemesis/node/keeper.h"
#include "nemesis/node/tasks.h"

namespace ordeal::node {

namespace {

// Zero for what is not a positive number.
long long milliseconds(const Arguments& arguments, const char* name, long long otherwise) {
  if (!arguments.has(name)) return otherwise;
  char* end = nullptr;
  const std::string text = arguments.text(name);
  const double value = std::strtod(text.c_str(), &end);
  return *end == '\0' && value > 0 && value < 1e6 ? static_cast<long long>(value * 1000) : 0;
}

int usage();

int guard_task(const Arguments& arguments) {
  GuardSettings settings;
  settings.directory = arguments.text("directory", settings.directory);
  settings.silence_ms = milliseconds(arguments, "timeout", settings.silence_ms);
  settings.command_ms = milliseconds(arguments, "command-timeout", settings.command_ms);
  settings.wait_ms = milliseconds(arguments, "wait", settings.wait_ms);
  if (settings.silence_ms == 0 || settings.command_ms == 0 || settings.wait_ms == 0) return usage();
  return run_guard(settings);
}

struct Task {
  std::string_view name;
  int (*run)(const Arguments&);
  std::string_view arguments;
};

constexpr Task tasks[] = {
    {"guard", guard_task, "[--timeout S] [--command-timeout S] [--wait S] [--directory DIR]"},
    {"end", end_keeper, "--directory DIR --name NAME"},
    {"told", tell_of_keeper, "--directory DIR --name NAME"},
    {"gone", is_keeper_gone, "--directory DIR --name NAME"},
    {"sweep", end_all_keepers, "--directory DIR"},
    {"clock", run_clock,
     "--directory DIR --name NAME --pid-command SHELL [--realtime-ms N] [--monotonic-ms N] "
     "[--drift-ppm N] [--strobe-ms N]"},
    {"check-clock", check_clock, ""},
    {"disk", run_disk,
     "--directory DIR --name NAME --data FOLDER --harm HARM [--call CALL] [--percent P] "
     "[--delay-ms N] [--keep-percent P] [--torn-percent P] [--seed N]"},
    {"check-disk", check_disk, "--directory DIR"},
    {"host-clock", run_host_clock,
     "--directory DIR --name NAME [--offset-ms N] [--strobe-ms N] [--drift-ppm N]"},
    {"right-clock", right_host_clock, "--directory DIR"},
    {"remember", run_remember, "--directory DIR --name NAME --data FOLDER [--files PART]"},
    {"damage", run_damage,
     "--directory DIR --name NAME --data FOLDER --shape flips|truncate|copy|rollback [--files "
     "PART] "
     "[--percent P] [--seed N]"},
    {"damaged", tell_of_damage, "--directory DIR --name NAME"},
    {"mend", mend_damage, "--directory DIR [--name NAME]"},
    {"fill", run_fill, "--directory DIR --name NAME --data FOLDER"},
    {"check-fill", check_fill, "--directory DIR --data FOLDER"},
    {"packets", run_packets,
     "--directory DIR --name NAME --queue N [--delay-ms N] [--jitter-ms N] [--loss-percent P] "
     "[--duplicate-percent P] [--reorder-percent P] [--corrupt-percent P] [--rate-kbit N] "
     "[--clog 1] [--seed N]"},
    {"check-packets", check_packets, ""},
    {"confine", confine,
     "--directory DIR --name NAME --pid N (--freeze 1 | --cpu PERCENT | --memory KILOBYTES | "
     "--io KILOBYTES --data FOLDER)"},
    {"confined", tell_of_group, "--directory DIR --name NAME --freeze|--cpu|--memory|--io N"},
    {"release", release, "--directory DIR [--name NAME]"},
    {"released", is_released, "--directory DIR --name NAME"},
    {"check-group", check_group, "--directory DIR --freeze|--cpu|--memory|--io N"},
    {"throttle", run_throttle, "--directory DIR --name NAME --pid N --percent P"},
};

int usage() {
  for (const Task& task : tasks) {
    std::fprintf(stderr, "usage: ordeal-node %s %s\n", task.name.data(), task.arguments.data());
  }
  return 64;
}

}  // namespace

}  // namespace ordeal::node

int main(int count, char** words) {
  using namespace ordeal::node;
  Arguments arguments;
  if (count < 2 || !arguments.parse(count - 2, words + 2)) return usage();
  for (const Task& task : tasks) {
    if (task.name == words[1]) return task.run(arguments);
  }
  return usage();
}
