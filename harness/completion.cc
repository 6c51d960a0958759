#include "harness/completion.h"

#include <functional>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ordeal::harness {

namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<const CLI::Option*> flags_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return !option->get_lnames().empty(); });
}

// "--a --b": long flags, and the names of what may follow.
std::string words_of(const CLI::App& app) {
  std::string words;
  const auto add = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
  for (const CLI::App* command : commands_of(app)) add(command->get_name());
  for (const CLI::Option* flag : flags_of(app)) add("--" + flag->get_lnames().front());
  return words;
}

// "run", "lab", "lab up", ...: every place in the command line, the outermost first.
void walk(const CLI::App& app, const std::string& path,
          const std::function<void(const CLI::App&, const std::string&)>& visit) {
  visit(app, path);
  for (const CLI::App* command : commands_of(app))
    walk(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), visit);
}

std::string bash(const CLI::App& app) {
  std::string cases;
  walk(app, "", [&](const CLI::App& at, const std::string& path) {
    cases += fmt::format("    '{}') words='{}' ;;\n", path, words_of(at));
  });
  return R"sh(# Completion of ordeal for bash: eval "$(ordeal completion bash)"
_ordeal() {
  local current=${COMP_WORDS[COMP_CWORD]} path= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == -* ]] && break
    path+=${path:+ }${COMP_WORDS[i]}
    [[ $path == lab ]] || break
  done
  case $path in
)sh" + cases +
         R"sh(  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _ordeal ordeal
)sh";
}

std::string fish(const CLI::App& app) {
  std::string text = "# Completion of ordeal for fish: ordeal completion fish | source\n";
  const auto quoted = [](std::string words) {
    for (std::size_t at = words.find('\''); at != std::string::npos; at = words.find('\'', at + 2))
      words.insert(at, "\\");
    return "'" + words + "'";
  };
  walk(app, "", [&](const CLI::App& at, const std::string& path) {
    const std::string here = path.empty()
                                 ? "__fish_use_subcommand"
                                 : fmt::format("__fish_seen_subcommand_from {}", at.get_name());
    for (const CLI::App* command : commands_of(at))
      text += fmt::format("complete -c ordeal -n {} -f -a {} -d {}\n", quoted(here),
                          command->get_name(), quoted(command->get_description()));
    for (const CLI::Option* flag : flags_of(at))
      text += fmt::format("complete -c ordeal -n {} -l {} -d {}\n", quoted(here),
                          flag->get_lnames().front(), quoted(flag->get_description()));
  });
  return text;
}

// Text of a page: nothing in it is a request to troff.
std::string troff(std::string_view raw) {
  std::string text;
  bool begins = true;
  for (const char c : raw) {
    if (begins && (c == '.' || c == '\'')) text += "\\&";
    if (c == '\\' || c == '-') text += '\\';
    text += c;
    begins = c == '\n';
  }
  return text;
}

}  // namespace

Result<std::string> completion_script(const CLI::App& app, std::string_view shell) {
  if (shell == "bash") return bash(app);
  if (shell == "zsh") return "autoload -Uz bashcompinit && bashcompinit\n" + bash(app);
  if (shell == "fish") return fish(app);
  return error("no completion is known for \"{}\": say bash, zsh or fish", shell);
}

std::string man_page(const CLI::App& app, std::string_view version) {
  std::string text = fmt::format(
      ".TH ORDEAL 1 \"\" \"Ordeal {}\"\n.SH NAME\nordeal \\- does a cluster keep its promises?\n"
      ".SH SYNOPSIS\n.B ordeal\n.I command\n[options]\n.SH DESCRIPTION\n{}\n",
      troff(version), troff(app.get_description()));
  walk(app, "", [&](const CLI::App& at, const std::string& path) {
    if (!path.empty())
      text += fmt::format(".SH ordeal {}\n{}\n", troff(path), troff(at.get_description()));
    for (const CLI::Option* option : at.get_options()) {
      const std::string type = option->get_items_expected_max() > 0 ? option->get_type_name() : "";
      text += fmt::format(".TP\n\\fB{}\\fR {}\n{}\n", troff(option->get_name(false, true)),
                          troff(type), troff(option->get_description()));
    }
  });
  std::string examples = app.get_footer();
  return text + ".SH EXAMPLES\n.nf\n" + troff(examples) + ".fi\n";
}

}  // namespace ordeal::harness
