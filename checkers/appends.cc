#include "checkers/appends.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include "checkers/zones.h"

namespace ordeal::checkers {

namespace {

constexpr std::uint32_t nobody = ~std::uint32_t{0};

bool is_nothing(const Value& answer) {
  const std::string* text = answer.as_string();
  const Value::List* items = answer.as_list();
  return answer.is_nil() || (text != nullptr && text->empty()) ||
         (items != nullptr && items->empty());
}

// The calls that wrote the pieces of an answer, nobody for what nobody wrote.
class Pieces {
 public:
  // False when answers do not tell their pieces.
  bool read(const std::vector<Call>& calls) {
    for (std::uint32_t i = 0; i < calls.size(); ++i) {
      if (calls[i].act == Act::read) continue;
      const std::string* text = calls[i].argument.as_string();
      if (text != nullptr) {
        if (text->empty()) return false;
        texts_.emplace_back(*text, i);
      } else if (calls[i].act != Act::append || !items_.try_emplace(calls[i].argument, i).second) {
        return false;
      }
    }
    if (!texts_.empty() && !items_.empty()) return false;
    std::ranges::sort(texts_);
    // If any text begins another, one begins its neighbour.
    const auto begins = [](const auto& a, const auto& b) { return b.first.starts_with(a.first); };
    return std::ranges::adjacent_find(texts_, begins) == texts_.end();
  }

  // nullopt when the answer is of another type than what was written.
  [[nodiscard]] std::optional<std::vector<std::uint32_t>> of(const Value& answer) const {
    std::vector<std::uint32_t> writers;
    if (is_nothing(answer)) return writers;
    if (const auto* items = answer.as_list(); items != nullptr && texts_.empty()) {
      for (const Value& item : *items) {
        const auto found = items_.find(item);
        writers.push_back(found == items_.end() ? nobody : found->second);
      }
      return writers;
    }
    const std::string* text = answer.as_string();
    if (text == nullptr || !items_.empty()) return std::nullopt;
    for (std::string_view rest = *text; !rest.empty();) {
      // What begins the rest is the last text that does not come behind it.
      auto found = std::ranges::upper_bound(texts_, rest, {}, &Text::first);
      const bool is_any = found != texts_.begin() && rest.starts_with((--found)->first);
      writers.push_back(is_any ? found->second : nobody);
      if (!is_any) break;
      rest.remove_prefix(found->first.size());
    }
    return writers;
  }

 private:
  using Text = std::pair<std::string_view, std::uint32_t>;
  std::vector<Text> texts_;
  std::unordered_map<Value, std::uint32_t, ValueHash> items_;
};

}  // namespace

std::optional<bool> decide_appends(const std::vector<Call>& calls) {
  Pieces pieces;
  if (!pieces.read(calls)) return std::nullopt;
  // States by their last piece: one more than the call that wrote it.
  std::vector<bool> is_seen(calls.size(), false);
  std::vector<ValueId> before(calls.size(), no_value);  // what an append that was seen found
  std::vector<RegisterOp> ops;
  for (const Call& call : calls) {
    RegisterOp& op = ops.emplace_back();
    op.invoked = call.invoked;
    op.completed = call.completed;
    if (call.act != Act::read || !call.is_certain()) continue;
    const auto writers = pieces.of(call.result);
    if (!writers) return std::nullopt;
    op.observes = nil_value;
    for (const std::uint32_t i : *writers) {
      if (i == nobody) return false;
      const bool is_put = calls[i].act == Act::write;
      const ValueId found = is_put ? no_value : op.observes;
      if (is_put && op.observes != nil_value) return false;
      if (is_seen[i] && before[i] != found) return false;
      is_seen[i] = true;
      before[i] = found;
      op.observes = i + 1;
    }
  }
  for (std::uint32_t i = 0; i < calls.size(); ++i) {
    if (calls[i].act == Act::read) continue;
    ops[i].sets = i + 1;
    ops[i].observes = before[i];
  }
  std::erase_if(ops, [](const RegisterOp& op) { return op.is_read() && !op.is_certain(); });
  return decide_by_zones(ops);
}

}  // namespace ordeal::checkers
