#include "clusters/remote.h"

#include <algorithm>

#include "clusters/ssh_connection.h"
#include "core/file.h"

namespace ordeal::clusters {
namespace {

// The kernel's limit for one argument of a program is 128 KiB.
constexpr std::size_t shell_limit = 100'000;

class SshStream final : public Stream {
 public:
  SshStream(std::shared_ptr<SshConnection> connection, std::shared_ptr<Exchange> exchange)
      : connection_(std::move(connection)), exchange_(std::move(exchange)) {}
  ~SshStream() override {
    (void)exchange_->abandon();
    connection_->wake();
  }
  Result<void> write(std::string_view bytes) override {
    Result<void> written = exchange_->write(bytes);
    connection_->wake();
    return written;
  }
  Result<std::string> read_line(Deadline deadline) override {
    return exchange_->read_line(deadline, [this] { connection_->wake(); });
  }
  bool alive() const override { return exchange_->stage() == Exchange::Stage::running; }

 private:
  std::shared_ptr<SshConnection> connection_;
  std::shared_ptr<Exchange> exchange_;
};

class SshRemote final : public Remote {
 public:
  SshRemote(Node node, const Credentials& credentials)
      : node_(std::move(node)), connection_(std::make_shared<SshConnection>(node_, credentials)) {
    connection_->start();
  }
  ~SshRemote() override { connection_->stop(); }

  const Node& node() const override { return node_; }

  Result<void> open(Nanoseconds timeout) {
    const Result<Output> opened = perform(Command{.shell = "", .input = "", .timeout = timeout});
    return opened ? Result<void>{} : pass_on(opened.error());
  }

  Result<Output> run(const Command& command) override {
    if (const auto fit = check(command.shell); !fit) return pass_on(fit.error());
    return perform(command);
  }

  Result<void> upload(std::string_view content, const std::string& path, unsigned mode,
                      Nanoseconds timeout) override;
  Result<void> download(const std::string& path, const std::filesystem::path& to, std::size_t limit,
                        Nanoseconds timeout) override;
  Result<std::unique_ptr<Stream>> stream(const std::string& shell, Nanoseconds timeout) override;

 private:
  Result<void> check(const std::string& shell) const {
    if (shell.empty()) return error("{}: there is no command to run", node_.name);
    if (shell.find('\0') != std::string::npos)
      return error("{}: a command cannot contain a zero byte", node_.name);
    if (shell.size() > shell_limit)
      return error("{}: a command of {} bytes is too long; feed it through its input", node_.name,
                   shell.size());
    return {};
  }

  Result<Output> perform(const Command& command) {
    const Deadline deadline = Deadline::after(command.timeout);
    const auto exchange = std::make_shared<Exchange>(Exchange::Kind::command, node_.name, command);
    connection_->submit(exchange);
    const bool in_time = exchange->await(Exchange::Stage::ended, deadline);
    std::string late = in_time ? "" : connection_->late(*exchange, command.timeout);
    std::optional<Result<Output>> outcome = exchange->abandon();
    if (outcome) return std::move(*outcome);
    connection_->wake();
    return tl::unexpected<Error>(Error{std::move(late)});
  }

  const Node node_;
  const std::shared_ptr<SshConnection> connection_;
};

// A cut connection looks like the end of the input to the node, so the size is checked before the
// rename.
Result<void> SshRemote::upload(std::string_view content, const std::string& path, unsigned mode,
                               Nanoseconds timeout) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const std::string shell = fmt::format(
      "f={}; t=$f.upload-$$; {}cat > \"$t\" && "
      "{{ [ $(wc -c < \"$t\") -eq {} ] || {{ echo 'the content arrived incomplete' >&2; false; }}; "
      "}} && "
      "chmod {:o} \"$t\" && mv -f \"$t\" \"$f\" || {{ rm -f \"$t\"; exit 1; }}",
      shell_quote(path), folder.empty() ? "" : "mkdir -p -- " + shell_quote(folder) + " && ",
      content.size(), mode);
  const auto done = run_or_error(
      *this, Command{.shell = shell, .input = std::string(content), .timeout = timeout},
      fmt::format("uploading {} ({} bytes)", path, content.size()));
  return done ? Result<void>{} : pass_on(done.error());
}

Result<void> SshRemote::download(const std::string& path, const std::filesystem::path& to,
                                 std::size_t limit, Nanoseconds timeout) {
  const std::string step = fmt::format("downloading {}", path);
  const auto content =
      run_or_error(*this,
                   Command{.shell = fmt::format("tail -c {} -- {}", limit, shell_quote(path)),
                           .input = "",
                           .timeout = timeout,
                           .output_limit = limit},
                   step);
  if (!content) return pass_on(content.error());
  std::error_code failed;
  if (to.has_parent_path()) std::filesystem::create_directories(to.parent_path(), failed);
  const auto written = write_file(to, *content);
  return written ? Result<void>{}
                 : pass_on(written.error(), fmt::format("{}: {}", node_.name, step));
}

Result<std::unique_ptr<Stream>> SshRemote::stream(const std::string& shell, Nanoseconds timeout) {
  if (const auto fit = check(shell); !fit) return pass_on(fit.error());
  const Deadline deadline = Deadline::after(timeout);
  const auto exchange = std::make_shared<Exchange>(Exchange::Kind::stream, node_.name,
                                                   Command{.shell = shell, .input = ""});
  connection_->submit(exchange);
  if (!exchange->await(Exchange::Stage::running, deadline)) {
    std::string late = connection_->late(*exchange, timeout);
    (void)exchange->abandon();
    connection_->wake();
    return tl::unexpected<Error>(Error{std::move(late)});
  }
  // A command that ended at once is a stream too; but one that was never started is an error here.
  if (const std::optional<Error> never_ran = exchange->failure()) return pass_on(*never_ran);
  return std::make_unique<SshStream>(connection_, exchange);
}

}  // namespace

Result<std::string> run_or_error(Remote& remote, const Command& command, std::string_view step) {
  Result<Output> output = remote.run(command);
  if (!output) return pass_on(output.error(), step);
  if (output->ok()) return std::move(output->out);
  const std::string how = output->signal.empty()
                              ? fmt::format("exit status {}", output->exit_status)
                              : fmt::format("ended by signal {}", output->signal);
  const std::string_view said = last_line(output->err.empty() ? output->out : output->err);
  return error("{}: {}: {}{}{}", remote.node().name, step, how, said.empty() ? "" : ": ", said);
}

Result<std::unique_ptr<Remote>> connect(const Node& node, const Credentials& credentials,
                                        Nanoseconds timeout) {
  auto remote = std::make_unique<SshRemote>(node, credentials);
  if (const auto opened = remote->open(timeout); !opened) return pass_on(opened.error());
  return remote;
}

std::string shell_quote(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted += "'";
}

}  // namespace ordeal::clusters
