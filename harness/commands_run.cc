#include <cstdlib>
#include <random>

#include <fmt/core.h>

#include "clusters/custom/definition.h"
#include "clusters/lab/lab.h"
#include "core/file.h"
#include "harness/commands.h"
#include "harness/judge.h"
#include "harness/keys.h"
#include "harness/nodes.h"
#include "harness/run.h"
#include "harness/signals.h"
#include "results/commands.h"
#include "results/github.h"
#include "results/index.h"
#include "results/render.h"
#include "results/store.h"
#include "workloads/custom.h"

namespace ordeal::harness {

Result<void> read_custom_cluster(RunFlags& flags) {
  Configuration& configuration = flags.configuration;
  const std::filesystem::path file = configuration.cluster;
  if (file.extension() != ".toml") {
    if (flags.options.empty()) return {};
    return error("--option is for clusters of your own: --cluster FILE.toml");
  }
  auto& options = configuration.cluster_options;
  if (const auto read = read_definition(file, flags.options, options); !read) return read;
  configuration.cluster = "custom";
  const auto definition =
      clusters::custom::parse_definition(options.definition, file.string(), options.values);
  if (!definition) return pass_on(definition.error());
  if (!flags.nodes.names_any()) configuration.nodes.lab_nodes = definition->nodes;
  return clusters::custom::check_files(*definition);
}

namespace {

// --workload FILE.toml: what it says stands where no flag says otherwise.
Result<void> read_custom_workload(RunFlags& flags) {
  Configuration& configuration = flags.configuration;
  const std::filesystem::path file = configuration.workload;
  if (file.extension() != ".toml") return {};
  Result<std::string> text = read_file(file);
  if (!text) return pass_on(text.error(), "--workload");
  const auto definition = workloads::parse_workload(*text, file.string());
  if (!definition) return pass_on(definition.error());
  auto& options = configuration.workload_options;
  if (!flags.says_keys) options.keys = definition->keys.value_or(options.keys);
  if (!flags.says_group) options.group = definition->group.value_or(options.group);
  if (!flags.says_operations_per_key)
    options.operations_per_key =
        definition->operations_per_key.value_or(options.operations_per_key);
  configuration.workload = definition->name;
  options.definition = std::move(*text);
  options.definition_file = std::filesystem::absolute(file).lexically_normal();
  return {};
}

Result<Plan> plan_of(RunFlags& flags) {
  if (flags.plan.empty()) {
    if (const auto custom = read_custom_cluster(flags); !custom) return pass_on(custom.error());
    if (const auto custom = read_custom_workload(flags); !custom) return pass_on(custom.error());
    // 53 bits, so that every JSON reader keeps the seed whole.
    std::random_device entropy;
    const std::uint64_t fresh = (std::uint64_t{entropy()} << 21U) ^ entropy();
    flags.configuration.seed = flags.seed.value_or(fresh & ((std::uint64_t{1} << 53U) - 1));
    return make_plan(flags.configuration);
  }
  Result<Plan> plan = read_plan(flags.plan);
  if (plan && flags.nodes.names_any()) plan->configuration.nodes = flags.configuration.nodes;
  return plan;
}

void print_end(const RunEnd& end, const OutputFlags& output) {
  if (output.json) {
    fmt::print("{}", to_page(to_json(end.record)));
  } else {
    fmt::print(
        "{}", results::render_terminal(end.record, end.directory, {output.colour, output.unicode}));
  }
  for (const std::string& note : end.notes) fmt::print(stderr, "ordeal: {}\n", note);
  // A job on GitHub reads these from either stream.
  if (const char* job = std::getenv("GITHUB_ACTIONS"); job != nullptr && *job != '\0') {
    for (const std::string& line : results::render_annotations(end.record))
      fmt::print(stderr, "{}\n", line);
  }
  if (const char* file = std::getenv("GITHUB_STEP_SUMMARY"); file != nullptr && *file != '\0') {
    if (const auto done = results::append_job_summary(file, end.record); !done)
      fmt::print(stderr, "ordeal: {}\n", done.error().message);
  }
}

}  // namespace

Result<void> read_definition(const std::filesystem::path& file,
                             const std::vector<std::string>& values,
                             clusters::ClusterOptions& options) {
  Result<std::string> text = read_file(file);
  if (!text) return pass_on(text.error(), "--cluster");
  options.definition = std::move(*text);
  options.definition_file = std::filesystem::absolute(file).lexically_normal();
  for (const std::string& value : values) {
    const std::size_t equals = value.find('=');
    if (equals == 0 || equals == std::string::npos)
      return error("--option {}: say NAME=VALUE", value);
    options.values[value.substr(0, equals)] = value.substr(equals + 1);
  }
  return {};
}

int usage_error(const Error& error) {
  fmt::print(stderr, "ordeal: {}\n", error.message);
  return exit_usage;
}

int broken(const Error& error) {
  fmt::print(stderr, "ordeal: {}\n", error.message);
  return exit_code(Verdict::broken);
}

int run_command(RunFlags flags) {
  Result<NodeSource> source = node_source(flags.nodes);
  if (!source) return usage_error(source.error());
  flags.configuration.nodes = std::move(*source);
  Result<Plan> plan = plan_of(flags);
  if (!plan) return usage_error(plan.error());
  if (flags.until_failure && plan->configuration.workload != "register") {
    return usage_error({"--until-failure: only the workload register is judged while it runs"});
  }
  if (flags.dry_run) {
    fmt::print("{}", flags.output.json ? to_page(to_json(*plan)) : describe(*plan));
    return 0;
  }
  RunRequest request;
  const Result<clusters::Credentials> credentials = credentials_of(flags.nodes);
  if (!credentials) return usage_error(credentials.error());
  request.credentials = *credentials;
  request.runs = flags.runs;
  request.progress = flags.progress;
  request.until_failure = flags.until_failure;

  // Before any thread of ours: the lab forks, and the network that we enter is that of later
  // threads only.
  Result<ReachableNodes> nodes = reach(plan->configuration.nodes);
  if (!nodes) return broken(nodes.error());
  request.plan = std::move(*plan);
  request.inventory = nodes->inventory;

  std::stop_source stop;
  Controls controls;
  request.controls = &controls;
  Result<RunEnd> end;
  {
    const Signals signals(stop, controls);
    const Keys keys(stop, controls);
    end = run(request, stop.get_token());
  }
  if (!end) return broken(end.error());
  print_end(*end, flags.output);
  return end->record.interrupted ? exit_interrupted : exit_code(end->record.verdict);
}

int check_command(const CheckFlags& flags) {
  checkers::CheckOptions options;
  options.deadline = Deadline::after(flags.check_timeout);
  options.threads = std::max(1U, std::thread::hardware_concurrency());
  if (flags.failed_cas_is_evidence) options.failed_cas = checkers::FailedCas::evidence;
  std::error_code ignored;
  if (!std::filesystem::is_directory(flags.path, ignored)) {
    const FileQuestion question = {flags.as, flags.format, flags.wants_order};
    Result<FileAnswer> answer = judge_file(flags.path, question, options);
    if (!answer) return broken(answer.error());
    results::settle_commands_of_history(answer->record, flags.path);
    print_end({answer->record, flags.path, {}}, flags.output);
    for (const std::string& line : answer->order) fmt::print("{}\n", line);
    return exit_code(answer->record.verdict);
  }
  Result<RunRecord> record = judge(flags.path, options);
  if (!record) return broken(record.error());
  RunEnd end{std::move(*record), results::name_in_commands(flags.path), {}};
  results::tell_seen_before(end.record, std::filesystem::absolute(end.directory).parent_path());
  if (auto notes = results::write_results(end.directory, end.record)) {
    end.notes = std::move(*notes);
  } else {
    end.notes.push_back(notes.error().message);
  }
  print_end(end, flags.output);
  return exit_code(end.record.verdict);
}

int report_command(const std::filesystem::path& directory, const OutputFlags& output) {
  Result<RunRecord> record = results::read_run(directory);
  if (!record) return broken(record.error());
  const std::filesystem::path named = results::name_in_commands(directory);
  const auto notes = results::write_results(named, *record);
  if (!notes) return broken(notes.error());
  print_end({std::move(*record), named, *notes}, output);
  return 0;
}

}  // namespace ordeal::harness
