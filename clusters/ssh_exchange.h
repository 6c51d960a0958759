#pragma once
// One command on one SSH channel, from being asked for to its end: the meeting point of the thread
// that wants it done and the I/O thread of the node's connection, which alone touches libssh.
//
// The callers' side may be used from any thread; the I/O side is named below. Stages only go
// forward, but for a channel that the node refuses and a connection that is lost before the command
// was sent: both start over.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include "clusters/remote.h"

namespace ordeal::clusters {

// What a program said last, which is most often why it failed.
[[nodiscard]] std::string_view last_line(std::string_view text);

class Exchange {
 public:
  enum class Stage {
    queued,   // nothing of it has left this machine
    opening,  // a channel was asked for
    sent,     // the command is on its way; from here on it is never sent again
    running,  // the node confirmed that it started it
    ended,
  };
  // A stream stays open until abandoned, and its output is read line by line.
  enum class Kind { command, stream };

  // An empty shell command ends as soon as there is a connection.
  Exchange(Kind kind, std::string node, const Command& command);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // --- Callers.
  // Waits until it is that far; false at the deadline.
  [[nodiscard]] bool await(Stage stage, Deadline deadline) const;
  [[nodiscard]] Stage stage() const;
  // Nobody waits any more: a command is killed, a stream gets the end of its input. What happened,
  // if it had ended by then.
  [[nodiscard]] std::optional<Result<Output>> abandon();
  [[nodiscard]] bool abandoned() const { return abandoned_; }
  // "`sleep 100`", for sentences.
  [[nodiscard]] const std::string& title() const { return title_; }
  // Why it could not be done, once that is certain.
  [[nodiscard]] std::optional<Error> failure() const;
  // The exit status that the node told, of a command whose output is still open.
  [[nodiscard]] std::optional<int> early_status() const;
  [[nodiscard]] Result<void> write(std::string_view bytes);
  // `wake` is called when the I/O thread can go on reading.
  [[nodiscard]] Result<std::string> read_line(Deadline deadline, const std::function<void()>& wake);

  // --- The I/O thread.
  enum class Next {
    wait,
    again,
    refused
  };  // for the network; call once more at once; the node has no channel free
  [[nodiscard]] Next advance(ssh_session session);
  [[nodiscard]] bool holds_channel() const { return channel_ != nullptr; }
  [[nodiscard]] int times_refused() const { return times_refused_; }
  void end(Result<Output> outcome);
  // The session is about to go. True when it may start over on another one.
  [[nodiscard]] bool lose(const std::string& cause);

 private:
  static int on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                     void* self);
  static void on_eof(ssh_session, ssh_channel, void* self);
  static void on_close(ssh_session, ssh_channel, void* self);
  static void on_exit_status(ssh_session, ssh_channel, int status, void* self);
  static void on_exit_signal(ssh_session, ssh_channel, const char* signal, int core,
                             const char* message, const char* language, void* self);

  [[nodiscard]] Next open(ssh_session session);
  [[nodiscard]] Next request(ssh_session session);
  [[nodiscard]] Next run();
  bool feed();
  void pull();
  std::size_t keep(std::string_view bytes, bool is_stderr);
  void enter(Stage stage);
  void finish();
  void hang_up();
  void release_channel();
  [[nodiscard]] Error stream_over() const;

  const Kind kind_;
  const std::string node_;
  const std::string shell_;
  const std::string title_;
  const std::size_t output_limit_;
  std::atomic<bool> abandoned_ = false;

  // The I/O thread's own.
  ssh_channel channel_ = nullptr;
  ssh_channel_callbacks_struct callbacks_{};
  std::string feeding_;  // what is being written to the command
  std::size_t fed_ = 0;
  bool input_ended_ = false;
  bool eof_ = false, closed_ = false;
  int times_refused_ = 0, times_lost_ = 0;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_; only the I/O thread changes them, but for unread_, outgoing_ and stalled_.
  Stage stage_ = Stage::queued;
  Output output_;
  bool has_status_ = false;
  std::optional<Result<Output>> outcome_;
  std::string outgoing_;        // of a stream: not yet being written
  std::string unread_;          // of a stream: output without a reader yet
  std::size_t read_up_to_ = 0;  // in unread_
  bool stalled_ = false;        // libssh holds output that found no room in unread_
};

}  // namespace ordeal::clusters
