#pragma once
// What shells and `man` are told of the command line: made from the same tables as --help, so that
// neither can say something else. Pure.

#include <string>
#include <string_view>

#include "core/result.h"

namespace CLI {
class App;
}

namespace ordeal::harness {

// A script for bash, zsh or fish that completes commands, flags and the words that a flag takes.
[[nodiscard]] Result<std::string> completion_script(const CLI::App& app, std::string_view shell);

// ordeal(1), in the man macros of troff.
[[nodiscard]] std::string man_page(const CLI::App& app, std::string_view version);

}  // namespace ordeal::harness
