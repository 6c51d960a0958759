#include "results/github.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "results/render.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t most_annotations = 10;
constexpr std::uintmax_t summary_limit = 900 * 1024;

// As workflow commands want their parts: the rest of a line, or a property before it.
std::string escaped_part(std::string_view raw, bool is_property) {
  std::string out;
  for (const char c : clean(raw, 500)) {
    const bool special = c == '%' || (is_property && (c == ',' || c == ':'));
    if (special) {
      out += fmt::format("%{:02X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string command(std::string_view level, std::string_view title, std::string_view text) {
  return fmt::format("::{} title={}::{}", level, escaped_part(title, true),
                     escaped_part(text, false));
}

}  // namespace

std::vector<std::string> render_annotations(const RunRecord& run) {
  std::vector<std::string> all;
  for (const Finding* finding : findings_of(run))
    all.push_back(command("error", "Ordeal: FAIL", headline(run, *finding)));
  for (const VerdictReason& reason : run.reasons) {
    all.push_back(command(reason.verdict == Verdict::broken ? "error" : "warning",
                          fmt::format("Ordeal: {}", to_text(reason.verdict)),
                          capitalised(reason.text)));
  }
  if (all.size() > most_annotations) {
    const std::size_t more = all.size() - most_annotations + 1;
    all.resize(most_annotations - 1);
    all.push_back(
        command("error", "Ordeal", fmt::format("and {} more, see the job's summary", more)));
  }
  return all;
}

Result<void> append_job_summary(const std::filesystem::path& file, const RunRecord& run) {
  const std::string text = render_summary(run) + "\n";
  std::error_code failure;
  const auto size =
      std::filesystem::exists(file, failure) ? std::filesystem::file_size(file, failure) : 0;
  constexpr std::string_view full = "\n*The summaries of further runs are left out.*\n";
  if (size > summary_limit) return {};
  std::ofstream stream(file, std::ios::binary | std::ios::app);
  if (size + text.size() <= summary_limit) {
    stream << text;
  } else if (size + full.size() <= summary_limit) {
    stream << full;
  }
  stream.flush();
  if (!stream) return error("cannot append to the job's summary {}", file.string());
  return {};
}

}  // namespace ordeal::results
