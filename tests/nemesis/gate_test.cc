#include "nemesis/gate.h"

#include <map>
#include <mutex>
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
    places_[name] = gate_.come(touches);
    visitors_.emplace_back([this, name, place = places_[name]] {
      if (!gate_.enter(place, source_.get_token())) return;
      const std::lock_guard lock(mutex_);
      in_ += name;
    });
  }
  void leaves(char name) { gate_.leave(places_[name]); }
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
  std::map<char, Gate::Place> places_;
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
  street.leaves('n');
  street.leaves('m');
  street.leaves('a');
  CHECK(street.until(4) == "anmb");
  street.leaves('b');
  CHECK(street.until(5) == "anmbe");
  street.leaves('e');
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
  CHECK(street.gate().enter(street.gate().come(Touches::network), {}));  // nobody waits any more
}

}  // namespace ordeal::nemesis
