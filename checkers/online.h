#pragma once
// Linearizability of registers while the run goes on: fed event by event, it says at which event
// the history of a key became impossible. The same zones as in zones.h, kept up to date; memory is
// bounded by what is in progress and by the unknown writes that nobody has seen, not by the length.
//
// It is for keys whose written values differ; others it gives up, without a verdict. A key that it
// has no complaint of is not proven: the whole history is judged in the end. What it calls
// impossible is impossible, and what zones.h calls impossible, it does: at the same event, but for
// operations that fail, which it has to take for possible until then.
//
// Not for concurrent use.

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>

#include "core/op.h"
#include "core/value.h"

namespace ordeal::checkers {

class OnlineCheck {
 public:
  OnlineCheck();
  OnlineCheck(OnlineCheck&&) noexcept;
  OnlineCheck& operator=(OnlineCheck&&) noexcept;
  ~OnlineCheck();

  // The next event, by index. The key, if this event made its history impossible; once a key.
  [[nodiscard]] std::optional<Value> add(const Event& event);

  // Values and operations that it remembers.
  [[nodiscard]] std::size_t held() const;
  [[nodiscard]] std::size_t keys_given_up() const { return given_up_; }

 private:
  class Key;
  struct Pending {
    Key* key;
    Function function;
    EventIndex invoked;
    Value observes;  // of a compare-and-set
    Value sets;
  };

  void begin(const Event& event);
  // Whether the key's history is still possible.
  bool end(const Event& event, const Pending& pending);

  std::unordered_map<Value, std::unique_ptr<Key>, ValueHash> keys_;
  std::unordered_map<Process, Pending> pending_;
  std::size_t given_up_ = 0;
};

}  // namespace ordeal::checkers
