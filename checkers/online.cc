// Blocks of values, done and begun as in zones.cc. A block's done is set once, by its first
// completion, and its begun only grows: so a new contradiction involves the block that changed, and
// is found among its neighbours. Forward blocks do not overlap and lie in order; a backward block
// is compared with the one forward block that could contain it; a forward block that grows, with
// the backward blocks that it grows over: each is grown over once.
//
// What is forgotten. Let F be the first invocation of what is pending: whoever completes from now
// on began at F or later. Let B be the block that was done before F with the latest begun. Any
// other block A that was done before F and before B.begun must come before B; should anybody
// observe a value of A from now on, A would have to come behind B as well. So A is forgotten, and a
// value that is not known is a contradiction. Nor is A missed by others: a block C with C.done <
// A.begun has C.done < B.begun, so whatever would bring it into conflict with A does so with B.
// Likewise, in a chain, what lies before a value that was done before F.

#include "checkers/online.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <vector>

namespace ordeal::checkers {

namespace {

using Moment = std::int64_t;
constexpr Moment not_yet = std::numeric_limits<Moment>::max();
constexpr std::size_t least_to_forget = 8;

}  // namespace

class OnlineCheck::Key {
 public:
  Key();

  enum class State : std::uint8_t { possible, impossible, given_up };
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] std::size_t held() const { return clusters_.size() + pending_.size(); }

  void begin(EventIndex invoked) { pending_.insert(invoked); }
  void begin_setter(EventIndex invoked, const Value* observes, const Value& sets);
  void end(EventIndex invoked) { pending_.erase(invoked); }
  // The setter certainly did not happen.
  void take_back(EventIndex invoked, const Value& sets);
  // An operation on that value, its setter among them, completed.
  void touch(const Value& value, EventIndex invoked, EventIndex now);
  void give_up();

 private:
  struct Block;
  struct Cluster {
    Value value;
    Moment setter = 0;  // its invocation
    bool is_made_from = false;
    Value parent;  // what its setter found
    Moment done = not_yet;
    Block* block = nullptr;  // none: nobody knows whether the value was ever there
  };
  struct Block {
    Moment done = not_yet;
    Moment begun = -1;
    std::deque<Cluster*> chain;
    [[nodiscard]] bool is_forward() const { return done < begun; }
  };
  using Line = std::map<Moment, Block*>;  // by done

  Cluster* find(const Value& value) {
    const auto found = clusters_.find(value);
    return found == clusters_.end() ? nullptr : &found->second;
  }
  bool make_live(Cluster& cluster);
  bool append(Cluster& cluster);
  // What becomes of the block fits with all others.
  bool change(Block& block, Moment done, Moment begun);
  [[nodiscard]] bool fits(const Block& block, Moment seen_to) const;
  void forget();
  void forget_in(Block& block, Moment first_pending);
  void forget(Block& block);

  State state_ = State::possible;
  std::unordered_map<Value, Cluster, ValueHash> clusters_;
  std::map<Block*, std::unique_ptr<Block>> blocks_;
  Line forward_, backward_;
  std::set<EventIndex> pending_;
  std::size_t forget_at_ = least_to_forget;  // clusters
};

// Nil is there before everything.
OnlineCheck::Key::Key() {
  Cluster& nil = clusters_[Value()];
  nil.setter = -1;
  append(nil);
  change(*nil.block, -1, -1);
  nil.done = -1;
}

void OnlineCheck::Key::give_up() {
  state_ = State::given_up;
  clusters_.clear();
  blocks_.clear();
  forward_.clear();
  backward_.clear();
  pending_.clear();
}

void OnlineCheck::Key::begin_setter(EventIndex invoked, const Value* observes, const Value& sets) {
  begin(invoked);
  const auto [entry, added] = clusters_.try_emplace(sets);
  if (!added) return give_up();
  Cluster& cluster = entry->second;
  cluster.value = sets;
  cluster.setter = invoked;
  cluster.is_made_from = observes != nullptr;
  if (observes != nullptr) cluster.parent = *observes;
}

void OnlineCheck::Key::take_back(EventIndex invoked, const Value& sets) {
  end(invoked);
  const Cluster* cluster = find(sets);
  if (cluster == nullptr || cluster->block != nullptr) {
    state_ = State::impossible;
  } else {
    clusters_.erase(sets);
  }
}

// At the end of its chain, or as a chain of its own. False when something else follows there.
bool OnlineCheck::Key::append(Cluster& cluster) {
  Block* block = nullptr;
  if (cluster.is_made_from) {
    const Cluster* parent = find(cluster.parent);
    block = parent->block;
    if (block->chain.back() != parent) return false;
  } else {
    auto made = std::make_unique<Block>();
    block = made.get();
    blocks_.emplace(block, std::move(made));
  }
  block->chain.push_back(&cluster);
  cluster.block = block;
  return change(*block, block->done, std::max(block->begun, cluster.setter));
}

// The value was there, and so were those that it was made from.
bool OnlineCheck::Key::make_live(Cluster& cluster) {
  std::vector<Cluster*> path;
  for (Cluster* at = &cluster; at->block == nullptr; at = find(at->parent)) {
    path.push_back(at);
    if (!at->is_made_from) break;
    if (find(at->parent) == nullptr || path.size() > clusters_.size()) return false;
  }
  return std::all_of(path.rbegin(), path.rend(), [&](Cluster* next) { return append(*next); });
}

void OnlineCheck::Key::touch(const Value& value, EventIndex invoked, EventIndex now) {
  if (state_ != State::possible) return;
  Cluster* cluster = find(value);
  state_ = State::impossible;
  if (cluster == nullptr || (cluster->block == nullptr && !make_live(*cluster))) return;
  Block& block = *cluster->block;
  for (auto later = block.chain.rbegin(); *later != cluster; ++later) {
    if ((*later)->done < invoked) return;
  }
  cluster->done = std::min<Moment>(cluster->done, now);
  const Moment done = std::min<Moment>(block.done, now);
  if (!change(block, done, std::max<Moment>(block.begun, invoked))) return;
  state_ = State::possible;
  if (clusters_.size() >= forget_at_) forget();
}

bool OnlineCheck::Key::change(Block& block, Moment done, Moment begun) {
  if (block.done == done && block.begun == begun && begun != -1) return true;
  const Moment seen_to = block.is_forward() ? block.begun : done;
  if (block.done != not_yet) (block.is_forward() ? forward_ : backward_).erase(block.done);
  block.done = done;
  block.begun = begun;
  if (done == not_yet) return true;
  if (!fits(block, seen_to)) return false;
  (block.is_forward() ? forward_ : backward_).emplace(done, &block);
  return true;
}

bool OnlineCheck::Key::fits(const Block& block, Moment seen_to) const {
  // The last forward block that was done before this one began for the last time; the others
  // before it have ended.
  const auto behind = forward_.lower_bound(block.begun);
  if (behind != forward_.begin() && std::prev(behind)->second->begun > block.done) return false;
  if (!block.is_forward()) return true;
  for (auto at = backward_.upper_bound(seen_to); at != backward_.end() && at->first < block.begun;
       ++at) {
    if (at->second->begun > block.done) return false;
  }
  return true;
}

void OnlineCheck::Key::forget() {
  const Moment first_pending = pending_.empty() ? not_yet : Moment{*pending_.begin()};
  Block* last = nullptr;
  for (const auto& [block, owner] : blocks_) {
    if (block->done < first_pending && (last == nullptr || block->begun > last->begun)) {
      last = block;
    }
  }
  std::vector<Block*> gone;
  for (const auto& [block, owner] : blocks_) {
    const bool is_past = last != nullptr && block != last && block->done < first_pending &&
                         block->done < last->begun;
    if (is_past) {
      gone.push_back(block);
    } else {
      forget_in(*block, first_pending);
    }
  }
  for (Block* block : gone) forget(*block);
  forget_at_ = 2 * clusters_.size() + least_to_forget;
}

void OnlineCheck::Key::forget_in(Block& block, Moment first_pending) {
  const auto past = std::find_if(block.chain.rbegin(), block.chain.rend(),
                                 [&](const Cluster* one) { return one->done < first_pending; });
  if (past == block.chain.rend()) return;
  const Cluster* keep = *past;
  while (block.chain.front() != keep) {
    clusters_.erase(Value(block.chain.front()->value));
    block.chain.pop_front();
  }
}

void OnlineCheck::Key::forget(Block& block) {
  for (const Cluster* cluster : block.chain) clusters_.erase(Value(cluster->value));
  (block.is_forward() ? forward_ : backward_).erase(block.done);
  blocks_.erase(&block);
}

OnlineCheck::OnlineCheck() = default;
OnlineCheck::OnlineCheck(OnlineCheck&&) noexcept = default;
OnlineCheck& OnlineCheck::operator=(OnlineCheck&&) noexcept = default;
OnlineCheck::~OnlineCheck() = default;

std::size_t OnlineCheck::held() const {
  std::size_t held = pending_.size();
  for (const auto& [value, key] : keys_) held += key->held();
  return held;
}

void OnlineCheck::begin(const Event& event) {
  std::unique_ptr<Key>& key = keys_[event.key];
  if (key == nullptr) key = std::make_unique<Key>();
  Pending pending = {key.get(), event.function, event.index, {}, {}};
  const auto* pair = event.value.as_list();
  if (key->state() == Key::State::possible) {
    if (event.function == Function::read) {
      key->begin(event.index);
    } else if (event.function == Function::write) {
      pending.sets = event.value;
      key->begin_setter(event.index, nullptr, pending.sets);
    } else if (event.function == Function::cas && pair != nullptr && pair->size() == 2 &&
               !(pair->front() == pair->back())) {
      pending.observes = pair->front();
      pending.sets = pair->back();
      key->begin_setter(event.index, &pending.observes, pending.sets);
    } else {
      key->give_up();
    }
    if (key->state() == Key::State::given_up) ++given_up_;
  }
  pending_[event.process] = std::move(pending);
}

bool OnlineCheck::end(const Event& event, const Pending& pending) {
  Key& key = *pending.key;
  const bool reads = pending.function == Function::read;
  if (event.type == EventType::fail && !reads) {
    key.take_back(pending.invoked, pending.sets);
  } else if (event.type == EventType::ok) {
    key.touch(reads ? event.value : pending.sets, pending.invoked, event.index);
  }
  key.end(pending.invoked);
  return key.state() != Key::State::impossible;
}

std::optional<Value> OnlineCheck::add(const Event& event) {
  if (event.type == EventType::invoke) {
    begin(event);
    return std::nullopt;
  }
  const auto entry = pending_.find(event.process);
  if (entry == pending_.end()) return std::nullopt;
  const Pending pending = std::move(entry->second);
  pending_.erase(entry);
  if (pending.key->state() != Key::State::possible) return std::nullopt;
  if (end(event, pending)) return std::nullopt;
  return event.key;
}

}  // namespace ordeal::checkers
