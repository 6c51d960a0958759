#include "nemesis/keeper.h"

#include <fmt/core.h>

namespace ordeal::nemesis {

using clusters::shell_quote;

std::string Keeper::command(const std::string& verb) const {
  return fmt::format("{} {} --directory {} --name fault-{}", shell_quote(arena.program()), verb,
                     shell_quote(arena.directory), fault);
}

std::string Keeper::folder(const std::string& what) const {
  return fmt::format("{}/{}/fault-{}", arena.directory, what, fault);
}

std::string Keeper::start(const std::string& task) const {
  const std::size_t blank = task.find(' ');
  return command(task.substr(0, blank)) + (blank == std::string::npos ? "" : task.substr(blank)) +
         " || exit 1\n";
}

// Where the program is gone, so are its keepers: it is never removed while a guard lives.
std::string Keeper::end() const {
  return fmt::format("if [ -x {} ]; then {} || exit 1; fi\n", shell_quote(arena.program()),
                     command("end"));
}

std::string Keeper::told() const { return command("told") + "\n"; }

std::string Keeper::prove_gone() const { return command("gone") + " || exit 1\n"; }

std::string Keeper::last_words() const {
  return fmt::format("cat {} 2>/dev/null || true\n",
                     shell_quote(fmt::format("{}/keep/fault-{}.last", arena.directory, fault)));
}

std::string end_all_keepers(const std::string& program) {
  const std::string directory = program.substr(0, program.rfind("/bin/"));
  return fmt::format("{} sweep --directory {}", shell_quote(program), shell_quote(directory));
}

}  // namespace ordeal::nemesis
