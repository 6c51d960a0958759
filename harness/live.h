#pragma once
// What the user sees on stderr while a run goes on: events as they happen and, on a terminal, one
// status line below them; elsewhere a plain line every ten seconds. All methods may be called from
// any thread.

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "core/time.h"

namespace ordeal::harness {

enum class Progress { automatic, bar, lines, none };

class Live {
 public:
  Live(Progress progress, RunClock clock);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  // "00:41.2  partition  n1 n2 | n3 n4 n5".
  void event(const std::string& what, const std::string& text);
  // What the status line says, asked for while it is set; empty function: no line.
  void set_status(std::function<std::string()> status);

 private:
  void draw(const std::stop_token& stop);
  void erase_locked();

  const RunClock clock_;
  bool bar_ = false, lines_ = false;
  std::mutex mutex_;
  std::function<std::string()> status_;
  bool drawn_ = false;
  std::jthread thread_;
};

}  // namespace ordeal::harness
