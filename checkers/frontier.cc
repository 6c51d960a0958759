#include "checkers/frontier.h"

namespace ordeal::checkers {

namespace {

constexpr std::size_t stripes_per_worker = 16;

}  // namespace

Frontier::Frontier(std::size_t record_words, std::size_t memory_limit, std::size_t workers)
    : words_(record_words), workers_(workers) {
  const std::size_t stripes = workers == 1 ? 1 : stripes_per_worker * workers;
  for (std::size_t i = 0; i < stripes; ++i) {
    stripes_.push_back(std::make_unique<Stripe>(record_words, memory_limit / stripes));
  }
}

Memo::Insertion Frontier::insert(const std::uint64_t* record) {
  const std::uint64_t hash = Memo::hash(record, words_);
  Stripe& stripe = *stripes_[(hash >> 40U) % stripes_.size()];
  std::unique_lock lock(stripe.mutex, std::defer_lock);
  if (workers_ > 1) lock.lock();
  return stripe.memo.insert(record, hash);
}

std::size_t Frontier::size() {
  std::size_t size = 0;
  for (const auto& stripe : stripes_) {
    const std::lock_guard lock(stripe->mutex);
    size += stripe->memo.size();
  }
  return size;
}

void Frontier::give(Branch branch) {
  const std::lock_guard lock(mutex_);
  branches_.push_back(std::move(branch));
  --wanted_;
  changed_.notify_one();
}

std::optional<Branch> Frontier::take() {
  std::unique_lock lock(mutex_);
  ++wanted_;
  if (++waiting_ == workers_ && branches_.empty()) {
    stopped_ = true;
    changed_.notify_all();
  }
  changed_.wait(lock, [&] { return is_stopped() || !branches_.empty(); });
  if (is_stopped()) return std::nullopt;
  --waiting_;
  Branch branch = std::move(branches_.back());
  branches_.pop_back();
  return branch;
}

void Frontier::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace ordeal::checkers
