#include "checkers/bad_key.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace ordeal::checkers {

namespace {

constexpr std::size_t most_nodes_named = 5;

}  // namespace

std::size_t BadKey::times_set(ValueId value) const {
  return static_cast<std::size_t>(std::ranges::count(core.prefix, value, &RegisterOp::sets));
}

const RegisterOp* BadKey::setter_of(ValueId value) const {
  const auto found = std::ranges::find(core.prefix, value, &RegisterOp::sets);
  return found == core.prefix.end() ? nullptr : &*found;
}

std::string BadKey::name(const RegisterOp& op) { return fmt::format("op {}", op.invoked); }

std::string BadKey::deed(const RegisterOp& op) const {
  if (op.denies != no_value) return fmt::format("found another value than {}", value(op.denies));
  if (op.is_read()) return fmt::format("saw {}", value(op.observes));
  if (op.observes == no_value) return fmt::format("wrote {}", value(op.sets));
  return fmt::format("found {} = {} and made it {}", key(), value(op.observes), value(op.sets));
}

std::string BadKey::gap(const RegisterOp& before, const RegisterOp& after) const {
  const Nanoseconds apart = recorded(after).invoked_at - recorded(before).completed_at;
  return apart > Nanoseconds::zero() ? to_text(apart) + " before" : "before";
}

std::string BadKey::accounting() const {
  const std::size_t all = operations.positions.size();
  if (all == 1) return fmt::format("it is the only operation on {}", key());
  return fmt::format("all {} operations on {} are accounted for, {} of unknown outcome", all, key(),
                     reg.unknown == 0 ? "none" : count_of(reg.unknown, "write"));
}

std::string BadKey::through(const std::vector<RegisterOp>& ops) const {
  std::set<NodeIndex> indices;
  for (const RegisterOp& op : ops) indices.insert(recorded(op).node);
  std::string text;
  std::size_t named = 0;
  for (const NodeIndex index : indices) {
    if (index >= history.nodes.size()) continue;
    if (named == most_nodes_named)
      return text + fmt::format(" and {} more", indices.size() - named);
    text += (named++ == 0 ? " through " : ", ") + history.nodes[index];
  }
  return text;
}

std::string count_of(std::size_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

}  // namespace ordeal::checkers
