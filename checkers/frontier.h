#pragma once
// What the workers of one search share: the configurations that any of them has met, and branches
// that one with too many has handed to one with none. The search is over when nobody has any.
//
// A configuration that one worker has met is skipped by all others: what comes of it is looked at
// by that worker, or by who took a branch of it. For any number of threads; a lone one never waits.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "checkers/memo.h"

namespace ordeal::checkers {

struct Branch {
  std::vector<std::uint64_t> configuration;
  std::optional<std::uint32_t> choice;  // to be made there; none: of the first
};

class Frontier {
 public:
  Frontier(std::size_t record_words, std::size_t memory_limit, std::size_t workers);

  [[nodiscard]] Memo::Insertion insert(const std::uint64_t* record);
  // Configurations met so far.
  [[nodiscard]] std::size_t size();
  [[nodiscard]] std::size_t workers() const { return workers_; }

  // Whether somebody waits for a branch.
  [[nodiscard]] bool wants_branch() const { return wanted_.load(std::memory_order_relaxed) > 0; }
  void give(Branch branch);
  // Waits for one; nullopt when the search is over.
  [[nodiscard]] std::optional<Branch> take();

  // Nobody need go on: the answer is known, or never will be.
  void stop();
  [[nodiscard]] bool is_stopped() const { return stopped_.load(std::memory_order_relaxed); }

 private:
  struct Stripe {
    Stripe(std::size_t words, std::size_t limit) : memo(words, limit) {}
    std::mutex mutex;
    Memo memo;
  };

  std::size_t words_;
  std::size_t workers_;
  std::vector<std::unique_ptr<Stripe>> stripes_;  // by hash; one for a lone worker
  std::atomic<std::ptrdiff_t> wanted_ = 0;        // workers that wait, less the branches there are
  std::atomic<bool> stopped_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Branch> branches_;
  std::size_t waiting_ = 0;
};

}  // namespace ordeal::checkers
