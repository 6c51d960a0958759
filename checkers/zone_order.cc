#include "checkers/zone_order.h"

#include <algorithm>

namespace ordeal::checkers {

namespace {

constexpr std::uint32_t nobody = ~std::uint32_t{0};

struct Version {
  std::uint32_t set_by = nobody;
  std::uint32_t next = nobody;  // the compare-and-set that replaced it
  std::vector<std::uint32_t> seen_by;
};

struct Block {
  EventIndex place;
  std::vector<std::uint32_t> ops;
};

class Versions {
 public:
  Versions(std::span<const RegisterOp> ops, std::size_t value_count)
      : ops_(ops), versions_(value_count) {}

  // False when a value is set twice, or nil is.
  bool read() {
    for (std::uint32_t i = 0; i < ops_.size(); ++i) {
      if (ops_[i].is_read()) continue;
      std::uint32_t& set_by = versions_[ops_[i].sets].set_by;
      if (ops_[i].sets == nil_value || set_by != nobody) return false;
      set_by = i;
    }
    is_in_.assign(ops_.size(), false);
    for (std::uint32_t i = 0; i < ops_.size(); ++i) {
      if (ops_[i].is_certain() && !take_in(i)) return false;
    }
    return true;
  }

  // What begins with that value: by a write, or nil.
  [[nodiscard]] Block block_from(ValueId value) const {
    Block block{value == nil_value ? 0 : never, {}};
    EventIndex first_end = never;
    EventIndex last_begin = 0;
    const auto add = [&](std::uint32_t i) {
      block.ops.push_back(i);
      first_end = std::min(first_end, ops_[i].completed);
      last_begin = std::max(last_begin, ops_[i].invoked);
    };
    if (value != nil_value) add(versions_[value].set_by);
    for (;;) {
      const Version& version = versions_[value];
      std::ranges::for_each(version.seen_by, add);
      // No circle: each value is set once, and the first of these by a write.
      if (version.next == nobody) break;
      add(version.next);
      value = ops_[version.next].sets;
    }
    if (block.place != 0) block.place = std::min(first_end, last_begin);
    return block;
  }

  [[nodiscard]] bool begins_block(ValueId value) const {
    if (value == nil_value) return true;
    const std::uint32_t set_by = versions_[value].set_by;
    return set_by != nobody && is_in_[set_by] && ops_[set_by].observes == no_value;
  }

 private:
  // With all that it needs. False when it cannot have happened.
  bool take_in(std::uint32_t i) {
    while (!is_in_[i]) {
      is_in_[i] = true;
      const RegisterOp& op = ops_[i];
      if (op.observes == no_value) return true;
      Version& version = versions_[op.observes];
      if (op.is_read()) {
        version.seen_by.push_back(i);
      } else if (version.next != nobody) {
        return false;
      } else {
        version.next = i;
      }
      if (op.observes == nil_value) return true;
      if (version.set_by == nobody) return false;
      i = version.set_by;
    }
    return true;
  }

  std::span<const RegisterOp> ops_;
  std::vector<Version> versions_;
  std::vector<bool> is_in_;  // by operation
};

}  // namespace

std::optional<std::vector<std::uint32_t>> order_by_zones(std::span<const RegisterOp> ops,
                                                         std::size_t value_count) {
  Versions versions(ops, value_count);
  if (!versions.read()) return std::nullopt;
  std::vector<Block> blocks;
  for (ValueId value = 0; value < value_count; ++value) {
    if (versions.begins_block(value)) blocks.push_back(versions.block_from(value));
  }
  std::ranges::stable_sort(blocks, {}, &Block::place);
  std::vector<std::uint32_t> order;
  order.reserve(ops.size());
  for (const Block& block : blocks) order.insert(order.end(), block.ops.begin(), block.ops.end());
  return order;
}

}  // namespace ordeal::checkers
