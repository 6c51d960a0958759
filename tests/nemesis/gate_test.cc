#include "nemesis/gate.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace ordeal::nemesis {

namespace {

// Visitors who come one after the other; each notes its name when it is let in.
class Street {
 public:
  ~Street() { stop(); }
  void comes(char name, Touches touches) {
    visitors_.emplace_back([this, name, touches] {
      ++came_;
      if (!gate_.enter(touches, source_.get_token())) return;
      const std::lock_guard lock(mutex_);
      in_ += name;
    });
    while (came_ < visitors_.size()) std::this_thread::yield();
    // Nobody can see that it waits; the order of two that wait would be another if it did not yet.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  void leaves(Touches touches) { gate_.leave(touches); }
  std::string until(std::size_t count) {
    while (in().size() < count) std::this_thread::yield();
    return in();
  }
  void stop() {
    source_.request_stop();
    visitors_.clear();
  }
  Gate& gate() { return gate_; }
  std::string in() {
    const std::lock_guard lock(mutex_);
    return in_;
  }

 private:
  Gate gate_;
  std::stop_source source_;
  std::mutex mutex_;
  std::string in_;
  std::atomic<std::size_t> came_ = 0;
  std::vector<std::jthread> visitors_;
};

}  // namespace

TEST_CASE("faults are let in in the order of coming, past those alone whom they do not disturb") {
  Street street;
  street.comes('a', Touches::server);
  CHECK(street.until(1) == "a");
  street.comes('b', Touches::server);
  street.comes('n', Touches::network);  // past b, who waits for a
  CHECK(street.until(2) == "an");
  street.comes('m', Touches::network);
  CHECK(street.until(3) == "anm");
  street.comes('e', Touches::everything);
  street.comes('c', Touches::server);
  street.comes('o', Touches::network);  // not past e, however many come
  street.leaves(Touches::network);
  street.leaves(Touches::network);
  street.leaves(Touches::server);
  CHECK(street.until(4) == "anmb");
  street.leaves(Touches::server);
  CHECK(street.until(5) == "anmbe");
  street.leaves(Touches::everything);
  const std::string all = street.until(7);
  CHECK((all == "anmbeco" || all == "anmbeoc"));
}

TEST_CASE("who waits for its turn goes when the end comes, and does not stand in the way") {
  Street street;
  street.comes('a', Touches::server);
  CHECK(street.until(1) == "a");
  street.comes('e', Touches::everything);
  street.comes('b', Touches::server);
  street.stop();
  CHECK(street.in() == "a");
  CHECK(street.gate().enter(Touches::network, {}));  // nobody waits any more
}

}  // namespace ordeal::nemesis
