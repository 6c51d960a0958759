#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "core/history.h"
#include "core/history_codec.h"

namespace ordeal {

namespace {

constexpr auto batch_interval = 2ms;              // what a SIGKILL may cost
constexpr std::size_t pending_limit = 1U << 18U;  // events; then append() waits for the disk

}  // namespace

struct HistoryWriter::State {
  std::filesystem::path file;
  std::vector<std::string> nodes;
  int fd = -1;

  std::mutex mutex;
  std::condition_variable work, room;  // there are events, or the end; there is room for events
  std::vector<Event> pending;
  EventIndex next_index = 0;
  bool closing = false;
  std::optional<Error> failed;
  std::atomic<bool> has_failed{false};
  std::thread writer;

  ~State() {
    if (fd >= 0) ::close(fd);
  }

  void write_batches();
  void write_bytes(std::string_view bytes);
  void fail(const char* step);
};

void HistoryWriter::State::fail(const char* step) {
  const std::string why = std::error_code(errno, std::generic_category()).message();
  const std::lock_guard lock(mutex);
  if (!failed) failed = Error{fmt::format("cannot {} {}: {}", step, file.string(), why)};
  has_failed = true;
}

void HistoryWriter::State::write_bytes(std::string_view bytes) {
  while (!bytes.empty() && !has_failed) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void HistoryWriter::State::write_batches() {
  std::vector<Event> batch;
  std::string text;
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex);
      work.wait(lock, [&] { return closing || !pending.empty(); });
      // Let a batch gather, unless the end has come or there is plenty already.
      work.wait_for(lock, batch_interval,
                    [&] { return closing || pending.size() >= pending_limit / 4; });
      last = closing;
      std::swap(batch, pending);
    }
    room.notify_all();
    text.clear();
    for (const Event& event : batch) {
      append_event_line(text, event, nodes);
      text += '\n';
    }
    batch.clear();
    write_bytes(text);
  }
}

HistoryWriter::HistoryWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<HistoryWriter>> HistoryWriter::create(const std::filesystem::path& file,
                                                             std::vector<std::string> nodes) {
  auto state = std::make_unique<State>();
  state->file = file;
  state->nodes = std::move(nodes);
  state->fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (state->fd < 0) {
    return error("cannot write {}: {}", file.string(),
                 std::error_code(errno, std::generic_category()).message());
  }
  std::string header;
  append_header_line(header, state->nodes);
  header += '\n';
  state->write_bytes(header);
  if (state->failed) return pass_on(*state->failed);
  State* shared = state.get();
  state->writer = std::thread([shared] { shared->write_batches(); });
  return std::unique_ptr<HistoryWriter>(new HistoryWriter(std::move(state)));
}

HistoryWriter::~HistoryWriter() { (void)close(); }

EventIndex HistoryWriter::append(Event event) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  state.room.wait(lock, [&] { return state.pending.size() < pending_limit || state.has_failed; });
  ORDEAL_CHECK(!state.closing, "an event after the history was closed");
  ORDEAL_CHECK(state.next_index != never, "more events than an index can name");
  const EventIndex index = state.next_index++;
  if (state.has_failed) return index;
  event.index = index;
  const bool first = state.pending.empty();
  state.pending.push_back(std::move(event));
  const bool plenty = state.pending.size() == pending_limit / 4;
  lock.unlock();
  if (first || plenty) state.work.notify_one();
  return index;
}

std::optional<Error> HistoryWriter::failure() const {
  if (!state_->has_failed) return std::nullopt;
  const std::lock_guard lock(state_->mutex);
  return state_->failed;
}

Result<void> HistoryWriter::close() {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    state.closing = true;
  }
  state.work.notify_one();
  if (state.writer.joinable()) {
    state.writer.join();
    if (::fdatasync(state.fd) != 0 && errno != EINVAL) state.fail("sync");
  }
  if (const auto failed = failure()) return pass_on(*failed);
  return {};
}

}  // namespace ordeal
