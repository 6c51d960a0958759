// How long the pages of a run take, and how large they are. Budgets: report.html of 100,000
// operations in under 2 s and at most 3 MB; finding.html at most 500 KB; a million operations still
// build; the list of 5,000 runs answers in under 100 ms. Figures are printed beside their budgets.
//
//   report_bench               made-up runs of 100,000 and 1,000,000 operations, a list of 5,000
//   runs report_bench RUN           a stored run

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>

#include <fmt/core.h>
#include <unistd.h>

#include "core/file.h"
#include "results/commands.h"
#include "results/pages.h"
#include "results/report.h"
#include "results/run_list.h"
#include "results/store.h"

namespace {

using namespace ordeal;

History made_up(std::size_t operations) {
  History history;
  history.nodes = {"n1", "n2", "n3", "n4", "n5"};
  history.errors.emplace_back("timeout: DEADLINE_EXCEEDED Deadline Exceeded");
  std::mt19937_64 draw(1);
  EventIndex index = 0;
  std::vector<Nanoseconds> free_at(10);
  std::vector<Process> process = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (std::size_t i = 0; i < operations; ++i) {
    const std::size_t worker = i % 10;
    Operation op;
    op.invoked = index;
    op.completed = index + 1;
    index += 2;
    op.invoked_at = free_at[worker];
    op.completed_at = op.invoked_at + Nanoseconds(1'000'000 + draw() % 3'000'000);
    free_at[worker] = op.completed_at + Nanoseconds(draw() % 500'000);
    op.process = process[worker];
    op.node = static_cast<NodeIndex>(worker % 5);
    op.function = static_cast<Function>(draw() % 3);
    op.key = static_cast<std::int64_t>(i / 3000);
    op.argument = static_cast<std::int64_t>(i);
    op.result = static_cast<std::int64_t>(i);
    op.outcome = draw() % 50 == 0 ? Outcome::info : draw() % 5 == 0 ? Outcome::fail : Outcome::ok;
    op.revision = static_cast<std::int64_t>(i);
    if (op.outcome == Outcome::info) process[worker] += 10;
    if (op.outcome == Outcome::info) op.error = 1;
    history.operations.push_back(std::move(op));
  }
  history.events = index;
  return history;
}

double seconds(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

void measure(std::size_t operations, const std::filesystem::path& to) {
  const History history = made_up(operations);
  RunRecord run;
  run.coverage.operations = operations;
  const std::vector<NodeSample> samples;
  std::string page;
  const double took = seconds([&] {
    page = results::render_report({run, &history, samples, "{}", {}, {}});
  });
  fmt::print("{:>9} operations   report.html {:6.2f} s   {:6.2f} MB{}\n", operations, took,
             static_cast<double>(page.size()) / 1e6,
             operations == 100'000 ? "   (budget 2 s, 3 MB)" : "");
  if (!to.empty() && !write_file(to / fmt::format("report-{}.html", operations), page))
    fmt::print("could not be written to {}\n", to.string());
}

// The list that `ordeal serve` answers with: when it is first asked for, when nothing changed, and
// when one more run was stored.
void measure_list(std::size_t runs) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("ordeal-list-bench-{}", ::getpid());
  std::filesystem::create_directories(folder);
  RunRecord run;
  run.cluster = "etcd";
  run.workload = "register";
  run.version = "3.4.23";
  run.nemeses = {"partition", "kill"};
  const auto store = [&](std::size_t i, std::string& lines) {
    run.seed = i;
    run.verdict = i % 7 == 0 ? Verdict::inconclusive : Verdict::pass;
    run.started = fmt::format("2026-{:02}-{:02}T{:02}:{:02}:{:02}Z", 1 + i / 3600 % 12,
                              1 + i / 180 % 28, i / 10 % 24, i % 60, i / 60 % 60);
    run.reasons.clear();
    if (run.verdict == Verdict::inconclusive)
      run.reasons = {
          {run.verdict, fmt::format("the kill fault never took effect: 0 of {}", i), ""}};
    std::string moment = run.started.substr(0, 19);
    std::replace(moment.begin(), moment.end(), ':', '-');
    run.name =
        fmt::format("{}-{}-etcd-register-partition+kill-s{}", moment, to_text(run.verdict), i);
    std::filesystem::create_directories(folder / run.name);
    Json line = to_json(results::entry_of(run));
    line["schema"] = 1;
    lines += to_line(line) + "\n";
  };
  std::string lines;
  for (std::size_t i = 0; i < runs; ++i) store(i, lines);
  const bool written = write_file(folder / results::index_file, lines).has_value();
  results::RunList list(folder);
  std::size_t size = 0;
  const auto ask = [&] { return 1e3 * seconds([&] { size = list.json().value_or("").size(); }); };
  const double first = ask();
  const double again = ask();
  store(runs, lines);
  const bool appended = results::append_index(folder, run).has_value();
  const double changed = ask();
  fmt::print(
      "{:>9} runs         list {:6.1f} ms first   {:5.1f} ms unchanged   {:6.1f} ms with one "
      "more   {:.2f} MB   (budget 100 ms){}\n",
      runs, first, again, changed, static_cast<double>(size) / 1e6,
      written && appended ? "" : "   NOT WRITTEN");
  std::filesystem::remove_all(folder);
}

int measure_stored(const std::filesystem::path& directory) {
  auto run = results::read_run(directory);
  if (!run) {
    fmt::print(stderr, "{}\n", run.error().message);
    return 1;
  }
  std::vector<std::string> troubles;
  const double took = seconds([&] { results::write_pages(directory, *run, troubles); });
  fmt::print("{}: all pages in {:.2f} s, graphs included\n", directory.string(), took);
  for (const std::string& trouble : troubles) fmt::print("  {}\n", trouble);
  for (const char* page : {"report.html", "findings/1/finding.html"}) {
    std::error_code failure;
    const auto size = std::filesystem::file_size(directory / page, failure);
    if (!failure) fmt::print("  {:<26} {:8.1f} KB\n", page, static_cast<double>(size) / 1e3);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) return measure_stored(argv[1]);
  const char* keep = std::getenv("KEEP");
  for (const std::size_t operations : {std::size_t{100'000}, std::size_t{1'000'000}})
    measure(operations, keep == nullptr ? "" : keep);
  measure_list(5'000);
  return 0;
}
