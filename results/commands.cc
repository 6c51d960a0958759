#include "results/commands.h"

#include <algorithm>

#include <fmt/format.h>

#include "results/store.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr auto shown_around = 2s;

// The part of a page's address that shows the finding: #t=60.5-64.5&op=8841.
std::string place_of(const Finding& finding) {
  const Nanoseconds at = within_reason(finding.at);
  Nanoseconds from = at;
  for (const WitnessOperation& op : finding.witness)
    from = std::min(from, within_reason(op.invoked_at));
  from = std::max(Nanoseconds::zero(), from - shown_around);
  std::string place = fmt::format("#t={}-{}", seconds_text(from), seconds_text(at + shown_around));
  for (const WitnessOperation& op : finding.witness) {
    if (op.breaks) place += fmt::format("&op={}", op.id);
  }
  return place;
}

}  // namespace

void settle_commands(RunRecord& run, const std::filesystem::path& directory) {
  const std::filesystem::path given =
      directory.has_filename() ? directory : directory.parent_path();
  const std::string path = given.string();
  const std::string runs = given.has_parent_path() ? given.parent_path().string() : ".";
  const Command check = {"judge the recorded history again; needs no cluster",
                         {"ordeal", "check", path}};
  const Command again = {"run the same requests and faults again",
                         {"ordeal", "run", "--plan", (given / plan_file).string()}};
  run.commands.clear();
  if (faults_left_on(run) > 0)
    run.commands.push_back({"undo what may be left of its faults", {"ordeal", "heal", path}});
  run.commands.push_back(check);
  run.commands.push_back(again);
  run.commands.push_back({"look around in it: timeline, logs, other runs; prints the address",
                          {"ordeal", "serve", runs, "--open", given.filename().string()}});
  for (CheckReport& report : run.checks) {
    for (Finding& finding : report.findings) {
      finding.commands = {check, again,
                          Command{"measure how often the same plan shows it",
                                  {"ordeal", "reproduce", path, "--times", "10"}},
                          Command{"see it in the timeline; prints the address",
                                  {"ordeal", "serve", runs, "--open",
                                   given.filename().string() + place_of(finding)}}};
    }
  }
}

void settle_commands_of_history(RunRecord& run, const std::filesystem::path& file) {
  run.commands = {
      {"judge the history again", {"ordeal", "check", file.string(), "--as", run.workload}}};
  for (CheckReport& report : run.checks) {
    for (Finding& finding : report.findings) finding.commands = run.commands;
  }
}

std::string command_line(const Command& command, bool ascii_only) {
  std::string line;
  for (const std::string& word : command.words) {
    const bool is_flag = word.starts_with("--") &&
                         word.find_first_not_of("-abcdefghijklmnopqrstuvwxyz") == std::string::npos;
    line += (line.empty() ? "" : " ") + (is_flag ? word : shell_word(word, ascii_only));
  }
  return line;
}

std::string command_line(const std::vector<Command>& commands, std::string_view subcommand,
                         bool ascii_only) {
  const auto found = std::find_if(commands.begin(), commands.end(), [&](const Command& command) {
    return command.words.size() > 1 && command.words[1] == subcommand;
  });
  return found == commands.end() ? std::string() : command_line(*found, ascii_only);
}

}  // namespace ordeal::results
