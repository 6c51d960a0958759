#include "nemesis/group.h"

#include <fmt/core.h>

namespace ordeal::nemesis {

using clusters::shell_quote;

std::string Group::command(const std::string& verb) const {
  return fmt::format("{} {} --directory {} --name fault-{}", shell_quote(arena.program()), verb,
                     shell_quote(arena.directory), fault);
}

std::string Group::confine() const {
  return fmt::format("{} --pid \"$pid\" {}", command("confine"), harm);
}

// Where the program is gone, so are its groups: it is never removed while a guard lives.
std::string Group::release() const {
  return fmt::format("if [ -x {} ]; then {} || exit 1; fi\n", shell_quote(arena.program()),
                     command("release"));
}

std::string Group::told() const { return fmt::format("{} {}", command("confined"), harm); }

std::string Group::prove_released() const { return command("released") + " || exit 1\n"; }

std::string Group::probe() const {
  return fmt::format("{} check-group --directory {} {}", shell_quote(arena.program()),
                     shell_quote(arena.directory), harm);
}

}  // namespace ordeal::nemesis
