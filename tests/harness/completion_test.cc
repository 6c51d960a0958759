#include "harness/completion.h"

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>

namespace ordeal::harness {

namespace {

struct Line {
  CLI::App app{"It's a test.", "ordeal"};
  std::string file;
  bool flag = false;
  Line() {
    CLI::App* run = app.add_subcommand("run", "run it");
    run->add_option("-f,--file", file, "what's read")->type_name("FILE");
    run->add_flag("--dry-run", flag, ".hidden");
    app.add_subcommand("lab", "local nodes")->add_subcommand("up", "bring it up");
  }
};

}  // namespace

TEST_CASE("every command and flag is completed, where it stands") {
  const Line line;
  const std::string bash = completion_script(line.app, "bash").value();
  CHECK(bash.find("'') words='run lab --help' ;;") != std::string::npos);
  CHECK(bash.find("'run') words='--help --file --dry-run' ;;") != std::string::npos);
  CHECK(bash.find("'lab') words='up --help' ;;") != std::string::npos);
  CHECK(completion_script(line.app, "zsh").value().find("bashcompinit") != std::string::npos);
  const std::string fish = completion_script(line.app, "fish").value();
  CHECK(fish.find("-l file -d 'what\\'s read'") != std::string::npos);
  CHECK_FALSE(completion_script(line.app, "csh"));
}

TEST_CASE("the manual is made of the same words, and none of them is a request") {
  const Line line;
  const std::string page = man_page(line.app, "1-x");
  for (const char* part : {".SH ordeal run\nrun it\n", "\\fB\\-f,\\-\\-file\\fR FILE\nwhat's read",
                           "\\&.hidden", "Ordeal 1\\-x"})
    CHECK(page.find(part) != std::string::npos);
}

}  // namespace ordeal::harness
