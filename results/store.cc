#include "results/store.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "results/commands.h"
#include "results/pages.h"
#include "results/render.h"
#include "results/run_name.h"
#include "results/words.h"

namespace ordeal::results {

namespace fs = std::filesystem;

namespace {

// Runs that start in one second with one seed: a thousand of them are a mistake.
constexpr int most_copies = 1000;

std::string why(int code) { return std::error_code(code, std::generic_category()).message(); }

// A directory is not replaced even when it is empty, which rename(2) alone would do.
int rename_to_new(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  struct stat found {};  // a file system that cannot promise it: a run's directory is never empty
  if (::lstat(to.c_str(), &found) == 0) return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

bool is_number(const std::string& name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
}

// Folders of findings that this judgement does not have. What is not named by a number is the
// user's.
void remove_stale(const fs::path& findings, const std::set<int>& kept,
                  std::vector<std::string>& troubles) {
  std::error_code failure;
  std::vector<fs::path> stale;
  for (auto entry = fs::directory_iterator(findings, failure);
       !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    const bool current =
        std::any_of(kept.begin(), kept.end(), [&](int n) { return std::to_string(n) == name; });
    if (is_number(name) && !current) stale.push_back(entry->path());
  }
  for (const fs::path& path : stale) {
    fs::remove_all(path, failure);
    if (failure)
      troubles.push_back("cannot remove the old " + path.string() + ": " + failure.message());
  }
  if (kept.empty()) fs::remove(findings, failure);  // only when it is empty
}

Result<void> write_finding(const fs::path& directory, const RunRecord& run,
                           const Finding& finding) {
  const fs::path folder = directory / findings_folder / std::to_string(finding.number);
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) return error("cannot make the folder {}: {}", folder.string(), failure.message());
  const Result<void> data = write_file(folder / "finding.json", to_page(to_json(finding)));
  if (!data) return data;
  return write_file(folder / "finding.md", render_finding(run, finding));
}

}  // namespace

Result<fs::path> create_run_directory(const fs::path& runs, const RunRecord& run) {
  std::optional<RunName> name = name_of(run);
  if (!name)
    return error("cannot name the run's directory: its start, \"{}\", is no ISO 8601 time",
                 run.started);
  std::error_code failure;
  fs::create_directories(runs, failure);
  if (failure)
    return error("cannot make the folder {} for runs: {}", runs.string(), failure.message());
  for (; name->copy <= most_copies; ++name->copy) {
    fs::path directory = runs / name->text();
    if (::mkdir(directory.c_str(), 0755) == 0) return directory;
    if (errno != EEXIST)
      return error("cannot make the run's directory {}: {}", directory.string(), why(errno));
  }
  return error("{} holds {} runs named like {}; use another folder", runs.string(), most_copies,
               name->subject);
}

Result<fs::path> name_by_verdict(const fs::path& directory, Verdict verdict) {
  const fs::path given = directory.has_filename() ? directory : directory.parent_path();
  std::optional<RunName> name = parse_run_name(given.filename().string());
  if (!name || name->verdict == verdict) return directory;
  name->verdict = verdict;
  for (; name->copy <= most_copies; ++name->copy) {
    fs::path target = given.parent_path() / name->text();
    const int failure = rename_to_new(given, target);
    if (failure == 0) return target;
    if (failure != EEXIST && failure != ENOTEMPTY) {
      return error("cannot rename {} to {}: {}", given.string(), target.string(), why(failure));
    }
  }
  return error("cannot rename {}: every name with its verdict is taken", given.string());
}

Result<std::vector<std::string>> write_results(const fs::path& directory, RunRecord& run) {
  settle_commands(run, directory);
  const Result<void> written = write_file(directory / run_file, to_page(to_json(run)));
  if (!written) return pass_on(written.error(), "storing the run");
  std::vector<std::string> troubles;
  const auto note = [&](const Result<void>& result) {
    if (!result) troubles.push_back(result.error().message);
  };
  std::set<int> numbers;
  for (const CheckReport& check : run.checks) {
    for (const Finding& finding : check.findings) {
      if (numbers.insert(finding.number).second) {
        note(write_finding(directory, run, finding));
      } else {
        troubles.push_back(fmt::format(
            "finding number {} is taken twice; only the first is written", finding.number));
      }
    }
  }
  remove_stale(directory / findings_folder, numbers, troubles);
  note(write_file(directory / summary_file, render_summary(run)));
  note(write_file(directory / junit_file, render_junit(run, directory)));
  write_pages(directory, run, troubles);
  return troubles;
}

fs::path name_in_commands(const fs::path& directory) {
  const Result<RunRecord> run = read_run(directory);
  if (!run) return directory;
  for (const Command& command : run->commands) {
    if (command.words.size() < 3 || command.words[1] != "check") continue;
    std::error_code failure;
    if (fs::equivalent(command.words[2], directory, failure)) return command.words[2];
  }
  return directory;
}

Result<RunRecord> read_run(const fs::path& directory) {
  const fs::path file = directory / run_file;
  const Result<std::string> text = read_file(file);
  if (!text) return pass_on(text.error());
  const Result<Json> json = parse_json(*text);
  if (!json) return pass_on(json.error(), file.string());
  Result<RunRecord> run = run_record_from_json(*json);
  if (!run) return pass_on(run.error(), file.string());
  return run;
}

}  // namespace ordeal::results
