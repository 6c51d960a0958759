#pragma once
// The commands that a reader can copy, as data of the record: how to judge a run again, to run it
// again, to look around in it.

#include <filesystem>
#include <string>

#include "core/run.h"

namespace ordeal::results {

// Sets the commands of the run and of its findings for a run stored in `directory`, which is
// printed as it is given.
void settle_commands(RunRecord& run, const std::filesystem::path& directory);
// The same for a bare history, which can only be judged again.
void settle_commands_of_history(RunRecord& run, const std::filesystem::path& file);

// The line to copy: words quoted where the shell needs it.
[[nodiscard]] std::string command_line(const Command& command, bool ascii_only = false);
// The command line of that subcommand ("run", "check"); empty when there is none.
[[nodiscard]] std::string command_line(const std::vector<Command>& commands,
                                       std::string_view subcommand, bool ascii_only = false);

}  // namespace ordeal::results
