#include <cstdlib>
#include <cstring>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "core/json_fields.h"
#include "core/verdict.h"
#include "harness/commands.h"
#include "harness/completion.h"
#include "harness/version.h"

namespace ordeal::harness {

namespace {

constexpr const char* footer = R"(examples:
  ordeal run --nemesis partition,kill            etcd on a lab of five nodes, for a minute
  ordeal run --nemesis kill --node root@db1 --node root@db2 --node root@db3
  ordeal run --reads serializable --seed 42      a promise that etcd does not make: ends FAIL
  ordeal check runs/2026-...                     judge a stored run again, without a cluster
  ordeal serve                                   look around in the stored runs, in a browser
  ordeal reproduce runs/2026-... --times 10      how often does the same plan show it?
  ordeal lab up --nodes 3                        local nodes; then: ordeal run --lab default

exit codes: 0 PASS, 1 FAIL, 2 INCONCLUSIVE, 3 BROKEN, 64 usage, 130 interrupted
)";

constexpr const char* run_footer = R"(examples:
  ordeal run --nemesis partition,kill            etcd on a lab of five nodes, for a minute
  ordeal run --nemesis kill --node root@db1 --node root@db2 --node root@db3
  ordeal run --reads serializable --seed 42      a promise that etcd does not make: ends FAIL
  ordeal run --cluster mydb.toml --workload set  a system of yours (docs/custom-cluster.md)
  ordeal run --plan runs/2026-.../plan.json      the same requests and faults again

while it runs, on a terminal:
  t  what every node and client is doing (also: kill -USR1 PID)
  f  hold new faults back; once more: let them go on
  q  end: undo faults, collect, judge what was recorded (like Ctrl-C; Ctrl-C twice stops at once)

exit codes: 0 PASS, 1 FAIL, 2 INCONCLUSIVE, 3 BROKEN, 64 usage, 130 interrupted
)";

struct Flags {
  RunFlags run;
  NemesisFlags nemesis;
  CheckFlags check;
  NodeFlags nodes;  // of doctor, heal and reproduce
  ClientCheckFlags client_check;
  ServeFlags serve;
  ReproduceFlags reproduce;
  std::filesystem::path other_run;  // of compare
  OutputFlags output;
  std::string reads = "linearizable";
  std::string failed_cas = "ignored";
  std::string progress = "auto";
  std::string color = "auto";
  std::filesystem::path run_directory;
  std::string what;
  std::string shell;
  std::string lab_name = "default";
  std::size_t lab_nodes = 5;
  bool all = false;
  std::string lab_node;
  std::vector<std::string> lab_command;
};

// Checks whose description does not appear in --help beside the words that say it already.
CLI::Validator one_of(const std::vector<std::string>& words) {
  return CLI::IsMember(words).description("");
}
CLI::Validator existing_file() { return CLI::Validator(CLI::ExistingFile).description(""); }
CLI::Validator existing_folder() { return CLI::Validator(CLI::ExistingDirectory).description(""); }

// A duration with its unit. CLI11 takes conversion errors as exceptions.
CLI::Option* add_duration(CLI::App* app, const std::string& name, Nanoseconds& to,
                          const std::string& help) {
  const auto read = [&to, name](const std::string& text) {
    const auto duration = parse_duration(text);
    if (!duration) {
      throw CLI::ValidationError(
          name, fmt::format("\"{}\" is no duration; say 90s, 1.5m or 500ms", text));
    }
    to = *duration;
  };
  return app
      ->add_option_function<std::string>(name, read, fmt::format("{} [{}]", help, to_text(to)))
      ->type_name("TIME");
}

void add_nodes(CLI::App* app, NodeFlags& nodes) {
  const char* group = "Nodes (one of these ways; none: a lab of 5 for the length of the run)";
  app->add_option("--inventory", nodes.inventory, "JSON file that names the nodes")
      ->type_name("FILE")
      ->group(group);
  app->add_option("--node", nodes.nodes, "a node, user@host:port[,zone=NAME]; repeat it")
      ->type_name("NODE")
      ->group(group);
  app->add_option("--lab", nodes.lab, "the nodes of a lab that is up")
      ->type_name("NAME")
      ->group(group);
  app->add_option("--nodes", nodes.lab_nodes, "a lab of this many nodes")
      ->type_name("N")
      ->group(group);
  app->add_option("--password-env", nodes.password_variable,
                  "environment variable that holds the SSH password")
      ->type_name("VAR")
      ->group(group);
}

void add_output(CLI::App* app, Flags& flags) {
  app->add_flag("--json", flags.output.json, "print the result as JSON");
  app->add_option("--color", flags.color, "auto, always or never [auto]")
      ->check(one_of({"auto", "always", "never"}))
      ->type_name("WHEN");
}

void add_run_groups(CLI::App* run, Configuration& c, std::string& reads) {
  auto& work = c.workload_options;
  const char* clients = "Clients";
  run->add_option("--clients", work.clients, "concurrent clients [10]")
      ->type_name("N")
      ->group(clients);
  run->add_option("--rate", work.rate,
                  "operations a second, all clients together [as fast as answered]")
      ->type_name("N")
      ->group(clients);
  run->add_option("--keys", work.keys, "keys in total [as many as time allows]")
      ->type_name("N")
      ->group(clients);
  run->add_option("--group", work.group, "clients that share a key [5]")
      ->type_name("N")
      ->group(clients);
  run->add_option("--ops-per-key", work.operations_per_key,
                  "operations before a key is retired [300]")
      ->type_name("N")
      ->group(clients);
  run->add_option("--reads-share", work.read_share, "share of reads [0.5]")
      ->type_name("0..1")
      ->group(clients);
  run->add_option("--writes-share", work.write_share, "share of writes [0.25]; the rest is cas")
      ->type_name("0..1")
      ->group(clients);
  add_duration(run, "--op-timeout", c.operation_timeout, "of one operation")->group(clients);

  const char* faults = "Faults";
  add_duration(run, "--fault-time", c.faults.duration, "mean length of a fault")->group(faults);
  add_duration(run, "--calm-time", c.faults.calm, "mean calm between faults")->group(faults);
  run->add_option("--faults", c.script, "faults written down by hand, one a line (docs/faults.md)")
      ->check(existing_file())
      ->type_name("FILE")
      ->group(faults);
  run->add_option("--overlap", c.faults.overlap, "faults at once, at most [2]")
      ->check(CLI::Range(1, 3))
      ->type_name("N")
      ->group(faults);
  run->add_flag("--swarm", c.faults.swarm,
                "draw from the seed which kinds take part, how long and how many at once")
      ->group(faults);
  add_duration(run, "--recovery-time", c.recovery_timeout, "until the healed cluster must be whole")
      ->group(faults);
  add_duration(run, "--check-time", c.check_timeout, "for the checkers, then INCONCLUSIVE");

  const char* etcd = "etcd";
  run->add_option("--reads", reads, "linearizable or serializable [linearizable]")
      ->check(one_of({"linearizable", "serializable"}))
      ->type_name("HOW")
      ->group(etcd);
  run->add_option("--etcd-binary", c.cluster_options.binary,
                  "upload and test this program [the node's own]")
      ->check(existing_file())
      ->type_name("FILE")
      ->group(etcd);
  run->add_option("--etcd-other-binary", c.cluster_options.other_binary,
                  "another version, which upgrade faults restart servers with")
      ->check(CLI::ExistingFile)
      ->type_name("FILE")
      ->group(etcd);
  run->add_option("--server-flag", c.cluster_options.server_flags,
                  "appended to etcd's command line; repeat it")
      ->type_name("FLAG")
      ->group(etcd);
}

// The library reads -3 into an unsigned number as 18446744073709551613.
std::string not_negative(const std::string& text) {
  return text.find('-') == std::string::npos ? "" : text + ": must be 0 or more";
}

CLI::App* add_run(CLI::App& app, Flags& flags) {
  CLI::App* run = app.add_subcommand("run", "put a cluster through an ordeal and judge it");
  run->footer(run_footer);
  Configuration& c = flags.run.configuration;
  run->add_option("--cluster", c.cluster, "the tested system [etcd], or the TOML file of your own")
      ->type_name("NAME|FILE.toml");
  run->add_option("--option", flags.run.options,
                  "value for an option that the TOML file declares; repeat it")
      ->type_name("NAME=VALUE");
  run->add_option("--workload", c.workload,
                  "what clients do and what judges it [register], or the TOML file of your own")
      ->type_name("NAME");
  run->add_option("--nemesis", c.nemeses, "fault kinds, separated by commas; or all [none]")
      ->delimiter(',')
      ->type_name("KINDS");
  add_duration(run, "--time", c.time, "length of the main phase");
  run->add_option("--seed", flags.run.seed,
                  "seed of everything that is random [drawn, and printed]")
      ->check(not_negative)
      ->type_name("N");
  run->add_option("--plan", flags.run.plan,
                  "replay this plan.json; only flags of nodes and output go with it")
      ->type_name("FILE");
  run->add_flag("-n,--dry-run", flags.run.dry_run,
                "print the plan and touch nothing (--json: as plan.json)");
  run->add_flag("--until-failure", flags.run.until_failure,
                "end the main phase at the first operation that breaks a register's promise");
  run->add_flag("--canary", c.canary,
                "this run must end FAIL: it shows night by night that a failure would be seen");
  run->add_option("--runs", flags.run.runs, "where runs are stored [runs]")->type_name("DIR");
  run->add_option("--progress", flags.progress, "auto, bar, lines or none [auto]")
      ->check(one_of({"auto", "bar", "lines", "none"}))
      ->type_name("HOW");
  add_output(run, flags);
  add_nodes(run, flags.run.nodes);

  add_run_groups(run, c, flags.reads);
  return run;
}

void add_lab(CLI::App& app, Flags& flags) {
  CLI::App* lab = app.add_subcommand("lab", "local nodes made of Linux namespaces");
  lab->require_subcommand(1);
  const auto named = [&](const char* name, const char* help) {
    CLI::App* command = lab->add_subcommand(name, help);
    command->add_option("--name", flags.lab_name, "of the lab [default]")->type_name("NAME");
    return command;
  };
  named("up", "bring a lab up; it stays until `lab down`")
      ->add_option("--nodes", flags.lab_nodes, "how many nodes [5]")
      ->type_name("N");
  named("down", "take a lab down")->add_flag("--all", flags.all, "every lab that is up");
  add_output(lab->add_subcommand("status", "labs that are up"), flags);
  named("inventory", "the nodes of a lab, as an inventory file");
  CLI::App* shell = named("shell", "a shell on a node, or a command");
  shell->add_option("node", flags.lab_node, "n1, n2, ...")->required();
  shell->add_option("command", flags.lab_command, "to run there, after --");
}

void add_nemesis(CLI::App& app, Flags& flags) {
  NemesisFlags& nemesis = flags.nemesis;
  CLI::App* command =
      app.add_subcommand("nemesis", "one fault by hand to a cluster that runs, and its undo");
  command->add_option("kind", nemesis.kind, "a fault kind (ordeal list nemeses)")->required();
  command
      ->add_option("--targets", nemesis.targets,
                   "which nodes, see docs/faults.md; of a partition: its shape [one]")
      ->type_name("RULE");
  add_duration(command, "--for", nemesis.time, "how long it is on");
  command->add_option("--set", nemesis.parameters, "a parameter, NAME=VALUE; repeat it")
      ->type_name("NAME=VALUE");
  command->add_option("--cluster", nemesis.run.configuration.cluster, "the system [etcd]")
      ->type_name("NAME");
  add_nodes(command, nemesis.run.nodes);
}

void add_check(CLI::App& app, Flags& flags) {
  CLI::App* check =
      app.add_subcommand("check", "judge a stored run or a history again; needs no cluster");
  check
      ->add_option("path", flags.check.path,
                   "a run directory, a history.jsonl, or another tool's history")
      ->required()
      ->check(CLI::ExistingPath);
  check->add_option("--as", flags.check.as, "how to judge a bare history [what it looks like]")
      ->type_name("MODEL");
  check
      ->add_option("--format", flags.check.format,
                   "of another tool: edn, porcupine-log, calls or intervals [detected]")
      ->check(one_of({"edn", "porcupine-log", "calls", "intervals"}))
      ->type_name("FORMAT");
  check
      ->add_option("--failed-cas", flags.failed_cas,
                   "a compare-and-set that found another value is evidence, or ignored [ignored]")
      ->check(one_of({"evidence", "ignored"}))
      ->type_name("HOW");
  check->add_flag("--witness", flags.check.wants_order,
                  "of a valid history, print one right order of each key");
  add_duration(check, "--check-time", flags.check.check_timeout,
               "for the checkers, then INCONCLUSIVE");
  add_output(check, flags);
}

void add_stored_runs(CLI::App& app, Flags& flags) {
  CLI::App* report = app.add_subcommand("report", "render the reports of a judged run again");
  report->add_option("run", flags.run_directory, "a run directory")
      ->required()
      ->check(existing_folder());
  add_output(report, flags);

  CLI::App* serve = app.add_subcommand("serve", "the stored runs in a browser; changes nothing");
  serve->add_option("runs", flags.serve.runs, "the folder of runs [runs]")
      ->check(existing_folder())
      ->type_name("DIR");
  serve->add_option("--port", flags.serve.port, "to listen on; 0: any free one [8180]")
      ->check(CLI::Range(0, 65535))
      ->type_name("N");
  serve
      ->add_option("--address", flags.serve.address,
                   "to listen on; anything else than this machine shows the runs to others "
                   "[127.0.0.1]")
      ->type_name("IP");
  serve
      ->add_option("--open", flags.serve.place,
                   "print the address of this run, or of a place in it")
      ->type_name("NAME[#PLACE]");

  CLI::App* compare = app.add_subcommand("compare", "two stored runs beside each other");
  compare->add_option("a", flags.run_directory, "a run directory")
      ->required()
      ->check(existing_folder());
  compare->add_option("b", flags.other_run, "another one")->required()->check(existing_folder());
  add_output(compare, flags);

  CLI::App* reproduce = app.add_subcommand(
      "reproduce", "run a run's plan again and again: how often is its finding seen?");
  reproduce->add_option("run", flags.reproduce.run, "a run directory")
      ->required()
      ->check(existing_folder());
  reproduce->add_option("--times", flags.reproduce.times, "how often [10]")
      ->check(CLI::Range(1, 10000))
      ->type_name("N");
  reproduce->add_option("--runs", flags.reproduce.runs, "where the new runs are stored [runs]")
      ->type_name("DIR");
  add_output(reproduce, flags);
  add_nodes(reproduce, flags.nodes);
}

void add_others(CLI::App& app, Flags& flags) {
  CLI::App* list =
      app.add_subcommand("list", "what there is: clusters, workloads, nemeses; or the stored runs");
  list->add_option("what", flags.what, "clusters, workloads, nemeses or runs")
      ->check(one_of({"clusters", "workloads", "nemeses", "runs"}));
  list->add_option("--runs", flags.run.runs, "where runs are stored [runs]")->type_name("DIR");
  add_output(list, flags);

  CLI::App* heal =
      app.add_subcommand("heal", "undo what a run that was killed may have left on its nodes");
  heal->add_option("run", flags.run_directory, "a run directory")
      ->required()
      ->check(existing_folder());
  heal->add_option("--password-env", flags.nodes.password_variable,
                   "environment variable that holds the SSH password")
      ->type_name("VAR");

  CLI::App* examine = app.add_subcommand(
      "client-check", "does the client program of a cluster of your own keep to the protocol?");
  examine->add_option("--cluster", flags.client_check.cluster, "the TOML file")
      ->required()
      ->check(existing_file())
      ->type_name("FILE.toml");
  examine
      ->add_option("--option", flags.client_check.options, "value for an option of the TOML file")
      ->type_name("NAME=VALUE");
  add_duration(examine, "--op-timeout", flags.client_check.timeout, "of one operation");
  examine->add_option("command", flags.client_check.command,
                      "a client program in place of the TOML's, after --");
  add_nodes(examine, flags.client_check.nodes);

  CLI::App* completion =
      app.add_subcommand("completion", "print what makes a shell complete our commands and flags");
  completion->add_option("shell", flags.shell, "bash, zsh or fish")
      ->required()
      ->check(one_of({"bash", "zsh", "fish"}));
  app.add_subcommand("man", "print ordeal(1): ordeal man | man -l -");

  CLI::App* doctor = app.add_subcommand(
      "doctor", "is everything here that a run needs, on this machine or on nodes?");
  add_nodes(doctor, flags.nodes);
}

// The usage error of CLI11 as one sentence, with the nearest known flag.
int usage(const CLI::App& app, const CLI::ParseError& failure) {
  std::string text = failure.what();
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  if (const std::vector<std::string> extras = command->remaining(); !extras.empty()) {
    text = fmt::format("{} is not known here", extras.front());
    std::vector<std::string> names;
    for (const CLI::Option* option : command->get_options()) names.push_back(option->get_name());
    for (const CLI::App* sub : command->get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(sub->get_name());
    }
    const std::vector<std::string_view> known(names.begin(), names.end());
    const std::string given = extras.front().substr(0, extras.front().find('='));
    if (const auto near = nearest_word(given, known); !near.empty())
      text += fmt::format("; did you mean {}?", near);
  }
  fmt::print(stderr, "ordeal: {}\nSee: {} --help\n", text,
             command == &app ? "ordeal" : "ordeal " + command->get_name());
  return exit_usage;
}

void settle(Flags& flags) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool plain = (no_color != nullptr && *no_color != '\0') || term == nullptr ||
                     std::strcmp(term, "dumb") == 0;
  flags.output.colour =
      flags.color == "always" || (flags.color == "auto" && !plain && ::isatty(STDOUT_FILENO) == 1);
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* locale = std::getenv(name);
    if (locale == nullptr || *locale == '\0') continue;
    flags.output.unicode =
        std::strstr(locale, "UTF-8") != nullptr || std::strstr(locale, "utf8") != nullptr;
    break;
  }
  flags.run.output = flags.check.output = flags.output;
  flags.check.failed_cas_is_evidence = flags.failed_cas == "evidence";
  flags.run.configuration.cluster_options.serializable_reads = flags.reads == "serializable";
  flags.run.progress = flags.progress == "bar"     ? Progress::bar
                       : flags.progress == "lines" ? Progress::lines
                       : flags.progress == "none"  ? Progress::none
                                                   : Progress::automatic;
}

int dispatch_lab(const CLI::App& lab, const Flags& flags) {
  const std::string& command = lab.get_subcommands().front()->get_name();
  if (command == "up") return lab_up_command(flags.lab_name, flags.lab_nodes);
  if (command == "down") return lab_down_command(flags.lab_name, flags.all);
  if (command == "status") return lab_status_command(flags.output);
  if (command == "inventory") return lab_inventory_command(flags.lab_name);
  return lab_shell_command(flags.lab_name, flags.lab_node, flags.lab_command);
}

int print(const Result<std::string>& text) {
  if (!text) return usage_error(text.error());
  fmt::print("{}", *text);
  return 0;
}

int dispatch(const CLI::App& app, const Flags& flags) {
  const CLI::App& chosen = *app.get_subcommands().front();
  const std::string& command = chosen.get_name();
  if (command == "run") return run_command(flags.run);
  if (command == "nemesis") return nemesis_command(flags.nemesis);
  if (command == "lab") return dispatch_lab(chosen, flags);
  if (command == "check") return check_command(flags.check);
  if (command == "report") return report_command(flags.run_directory, flags.output);
  if (command == "serve") return serve_command(flags.serve);
  if (command == "compare")
    return compare_command(flags.run_directory, flags.other_run, flags.output);
  if (command == "reproduce") return reproduce_command(flags.reproduce, flags.nodes, flags.output);
  if (command == "list") return list_command(flags.what, flags.run.runs, flags.output);
  if (command == "client-check") return client_check_command(flags.client_check);
  if (command == "completion") return print(completion_script(app, flags.shell));
  if (command == "man") return print(man_page(app, version()));
  if (command == "heal") return heal_command(flags.run_directory, flags.nodes);
  return doctor_command(flags.nodes);
}

}  // namespace

namespace {

// The whole command line, made once and read once. CLI11 keeps references into the flags.
struct CommandLine {
  Flags flags;
  CLI::App app{
      "Ordeal puts a real cluster through an ordeal and tells whether it kept its promises.",
      "ordeal"};
  const CLI::App* run = nullptr;

  CommandLine() {
    app.footer(footer);
    app.require_subcommand(1);
    app.set_version_flag("--version", long_version());
    run = add_run(app, flags);
    add_nemesis(app, flags);
    add_lab(app, flags);
    add_check(app, flags);
    add_stored_runs(app, flags);
    add_others(app, flags);
  }

  // A flag that was given may say what the default is.
  void note_given() {
    flags.run.says_keys = run->count("--keys") > 0;
    flags.run.says_group = run->count("--group") > 0;
    flags.run.says_operations_per_key = run->count("--ops-per-key") > 0;
  }

  // What a plan decides and a flag decides as well.
  [[nodiscard]] Result<void> fits() const {
    if (flags.run.plan.empty()) return {};
    for (const CLI::Option* option : run->get_options()) {
      const std::string& group = option->get_group();
      const bool goes_with = group.rfind("Nodes", 0) == 0 || option->check_name("--plan") ||
                             option->check_name("--json") || option->check_name("--color") ||
                             option->check_name("--runs") || option->check_name("--progress") ||
                             option->check_name("--dry-run");
      if (option->count() > 0 && !goes_with)
        return error("--plan already decides {}: leave one of the two out", option->get_name());
    }
    return {};
  }
};

}  // namespace

Result<void> parses(const std::vector<std::string>& words) {
  CommandLine line;
  // CLI11 wants them last to first, without the program's name.
  std::vector<std::string> reversed(words.rbegin(), std::prev(words.rend()));
  try {
    line.app.parse(std::move(reversed));
  } catch (const CLI::ParseError& failure) {
    return error("{}", failure.what());
  }
  return line.fits();
}

int main_command(int argc, char** argv) {
  CommandLine line;
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return line.app.exit(asked);
  } catch (const CLI::ParseError& failure) {
    return usage(line.app, failure);
  }
  if (const auto fits = line.fits(); !fits) return usage_error(fits.error());
  settle(line.flags);
  line.note_given();
  return dispatch(line.app, line.flags);
}

}  // namespace ordeal::harness
