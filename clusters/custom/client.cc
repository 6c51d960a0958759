#include "clusters/custom/client.h"

#include <random>

#include "clusters/custom/client_process.h"
#include "clusters/custom/client_protocol.h"
#include "core/file.h"

namespace ordeal::clusters::custom {
namespace {

// The last line that the program wrote to its log, for messages about its end.
std::string last_words(const std::filesystem::path& log) {
  const auto lines = log.empty() ? Result<std::vector<std::string>>() : read_lines(log);
  if (!lines || lines->empty()) return {};
  return "; the last line of its standard error: " + excerpt(lines->back());
}

class CustomClient final : public Client {
 public:
  CustomClient(ClientSetup setup, Misdeeds& misdeeds)
      : setup_(std::move(setup)), misdeeds_(misdeeds) {}

  [[nodiscard]] Result<void> begin(Deadline deadline) {
    auto process = ClientProcess::start(setup_.command, setup_.folder, setup_.log);
    if (!process) return pass_on(process.error());
    std::string line;
    const bool sent =
        (*process)->write_line(hello_line(setup_.node, setup_.host, setup_.functions), deadline);
    const LineEnd end = (*process)->read_line(line, deadline);
    if (end == LineEnd::ended || (!sent && end == LineEnd::silent))
      return error("the client program {} ended before its hello: {}{}", setup_.command.front(),
                   (*process)->ending(), last_words(setup_.log));
    if (end == LineEnd::silent)
      return error("the client program {} did not answer the hello within {}",
                   setup_.command.front(), to_text(setup_.hello_within));
    if (end == LineEnd::flooded)
      return error("the client program {} answered the hello with more than {} bytes in a line",
                   setup_.command.front(), longest_line);
    const auto name = read_hello(line, setup_.functions);
    if (!name)
      return error("the client program {}: {}", setup_.command.front(), name.error().message);
    process_ = std::move(*process);
    return {};
  }

  Completion invoke(const Request& request, Deadline deadline) override {
    // What was said without being asked, such as a second answer, must not be taken for the next.
    if (process_ && process_->has_more()) retire("unasked", "it spoke or ended between requests");
    if (!process_) {
      if (const auto begun = begin(deadline); !begun)
        return {Outcome::fail, {}, "no-client: " + begun.error().message};
    }
    // Not to be guessed, so that an answer to it was given after it was asked.
    last_id_ += 1 + entropy_() % 1'000'000;
    const std::uint64_t id = last_id_;
    std::string line;
    LineEnd end = LineEnd::silent;
    if (process_->write_line(request_line(id, request, deadline), deadline))
      end = process_->read_line(line, deadline);
    else if (process_->has_more())
      end = LineEnd::ended;
    switch (end) {
      case LineEnd::line:
        break;
      case LineEnd::silent:
        return unknown("silent", "no answer by the deadline");
      case LineEnd::ended:
        return unknown("ended", process_->ending() + last_words(setup_.log));
      case LineEnd::flooded:
        return unknown("flood",
                       fmt::format("more than {} bytes without an end of line", longest_line));
    }
    auto answer = read_answer(line, id, request.function, setup_.fail);
    if (!answer) return unknown(std::string(misdeed_of(line, id)), answer.error().message);
    if (answer->error.rfind("undeclared: ", 0) == 0)
      misdeeds_.note("fail with a code that the TOML does not list", answer->error);
    return *std::move(answer);
  }

 private:
  Completion unknown(const std::string& kind, const std::string& what) {
    retire(kind, what);
    return {Outcome::info, {}, fmt::format("client-{}: {}", kind, what)};
  }

  void retire(const std::string& kind, const std::string& what) {
    misdeeds_.note(kind, fmt::format("on {}: {}", setup_.node, what));
    process_.reset();
  }

  const ClientSetup setup_;
  Misdeeds& misdeeds_;
  std::unique_ptr<ClientProcess> process_;
  std::uint64_t last_id_ = 0;
  std::random_device entropy_;
};

}  // namespace

void Misdeeds::note(const std::string& kind, const std::string& what) {
  const std::lock_guard lock(mutex_);
  Misdeed& misdeed = by_kind_[kind];
  if (++misdeed.times == 1) misdeed.first = what;
}

std::vector<std::string> Misdeeds::sentences() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [kind, misdeed] : by_kind_)
    all.push_back(fmt::format("client programs: {} ({} time{}), first {}", kind, misdeed.times,
                              misdeed.times == 1 ? "" : "s", misdeed.first));
  return all;
}

Result<std::unique_ptr<Client>> open_client(const ClientSetup& setup, Misdeeds& misdeeds) {
  auto client = std::make_unique<CustomClient>(setup, misdeeds);
  const auto begun = client->begin(Deadline::after(setup.hello_within));
  if (!begun) {
    misdeeds.note("not started", fmt::format("on {}: {}", setup.node, begun.error().message));
    return pass_on(begun.error());
  }
  return client;
}

}  // namespace ordeal::clusters::custom
