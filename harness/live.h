#pragma once
// What the user sees on stderr while a run goes on: events as they happen and, on a terminal, a
// block below them that tells how the run stands; elsewhere a plain line every ten seconds. All
// methods may be called from any thread.

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "core/time.h"
#include "harness/controls.h"
#include "harness/live_view.h"

namespace ordeal::harness {

enum class Progress { automatic, bar, lines, none };

class Live {
 public:
  // `controls` may be null; otherwise it outlives this.
  Live(Progress progress, RunClock clock, const Controls* controls);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  // "00:41.2  partition  n1 n2 | n3 n4 n5".
  void event(const std::string& what, const std::string& text);
  // Every line of how the run stands now, as events. Nothing while no status is set.
  void dump();
  // How the run stands, asked for while it is set; empty function: no block.
  void set_status(std::function<LiveState()> status);

 private:
  struct Moment {
    SteadyClock::time_point at;
    LiveState state;
  };
  void draw(const std::stop_token& stop);
  void erase_locked();
  void show_locked(LiveState state);
  [[nodiscard]] LiveHistory history_locked(const LiveState& now) const;

  const RunClock clock_;
  const Controls* controls_;
  bool bar_ = false, lines_ = false;
  bool colour_ = false, unicode_ = true;
  std::mutex asking_;  // held while status_ is called; never together with mutex_
  std::function<LiveState()> status_;
  std::mutex mutex_;                // of what follows, and of the terminal
  std::deque<Moment> moments_;      // of the last seconds, oldest first
  std::vector<std::string> drawn_;  // the block on the terminal
  std::jthread thread_;
};

}  // namespace ordeal::harness
