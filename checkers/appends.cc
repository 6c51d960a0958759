#include "checkers/appends.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "checkers/models.h"
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

bool is_answer(const Call& call) { return call.act == Act::read && call.is_certain(); }

// What was written, as the pieces that answers are made of: each named by the first call that wrote
// it.
class Pieces {
 public:
  // nullopt when answers do not tell their pieces.
  static std::optional<Pieces> of(const std::vector<Call>& calls) {
    Pieces pieces;
    for (std::uint32_t i = 0; i < calls.size(); ++i) {
      if (calls[i].act == Act::read) continue;
      const std::string* text = calls[i].argument.as_string();
      if (text == nullptr && calls[i].act != Act::append) return std::nullopt;
      if (text != nullptr && text->empty()) return std::nullopt;
      const auto [entry, is_new] = pieces.named_.try_emplace(calls[i].argument, i);
      if (!is_new) {
        pieces.has_twins_ = true;
      } else if (text != nullptr) {
        pieces.texts_.emplace_back(*text, i);
      }
    }
    if (!pieces.texts_.empty() && pieces.texts_.size() < pieces.named_.size()) return std::nullopt;
    std::ranges::sort(pieces.texts_);
    // If any text begins another, one begins its neighbour.
    const auto begins = [](const auto& a, const auto& b) { return b.first.starts_with(a.first); };
    const bool is_plain = std::ranges::adjacent_find(pieces.texts_, begins) == pieces.texts_.end();
    return is_plain ? std::optional(std::move(pieces)) : std::nullopt;
  }

  // Whether a piece was written twice.
  [[nodiscard]] bool has_twins() const { return has_twins_; }
  [[nodiscard]] std::uint32_t written_by(const Call& call) const {
    return named_.at(call.argument);
  }

  // In order, nobody for what nobody wrote. nullopt when the answer is of another type than what
  // was written.
  [[nodiscard]] std::optional<std::vector<std::uint32_t>> in(const Value& answer) const {
    std::vector<std::uint32_t> pieces;
    if (is_nothing(answer)) return pieces;
    if (const auto* items = answer.as_list(); items != nullptr && texts_.empty()) {
      for (const Value& item : *items) {
        const auto found = named_.find(item);
        pieces.push_back(found == named_.end() ? nobody : found->second);
      }
      return pieces;
    }
    const std::string* text = answer.as_string();
    if (text == nullptr || (texts_.empty() && !named_.empty())) return std::nullopt;
    for (std::string_view rest = *text; !rest.empty();) {
      // What begins the rest is the last text that does not come behind it.
      auto found = std::ranges::upper_bound(texts_, rest, {}, &Text::first);
      const bool is_any = found != texts_.begin() && rest.starts_with((--found)->first);
      pieces.push_back(is_any ? found->second : nobody);
      if (!is_any) break;
      rest.remove_prefix(found->first.size());
    }
    return pieces;
  }

 private:
  using Text = std::pair<std::string_view, std::uint32_t>;
  std::vector<Text> texts_;
  std::unordered_map<Value, std::uint32_t, ValueHash> named_;
  bool has_twins_ = false;
};

// Which states begin an answer. Now and then one that does not is taken for one that does, which
// costs time only.
class Answers {
 public:
  explicit Answers(const std::vector<Call>& calls) {
    for (const Call& call : calls) {
      if (!is_answer(call)) continue;
      const Value::List* items = call.result.as_list();
      const Value& first = items != nullptr && !items->empty() ? items->front() : call.result;
      if (const std::string* text = first.as_string()) texts_.push_back(*text);
      lists_.push_back(ids_of(call.result, [&](const Value& item) {
        return ids_.try_emplace(item, static_cast<char32_t>(ids_.size() + 1)).first->second;
      }));
    }
    std::ranges::sort(texts_);
    std::ranges::sort(lists_);
  }
  [[nodiscard]] bool begin_with(const Value& state) const {
    if (const std::string* text = state.as_string())
      return is_begun(texts_, std::string_view(*text));
    return is_begun(lists_, ids_of(state, [&](const Value& item) {
                      const auto found = ids_.find(item);
                      return found == ids_.end() ? char32_t{0} : found->second;
                    }));
  }

 private:
  // Anything but a list is one with a single item: that is what it becomes by append.
  template <class IdOf>
  static std::u32string ids_of(const Value& value, const IdOf& id_of) {
    const Value::List* items = value.as_list();
    if (items == nullptr) return {id_of(value)};
    std::u32string ids;
    for (const Value& item : *items) ids.push_back(id_of(item));
    return ids;
  }
  template <class All, class One>
  static bool is_begun(const All& all, const One& beginning) {
    const auto found = std::ranges::lower_bound(all, beginning);
    return found != all.end() && found->starts_with(beginning);
  }

  std::vector<std::string_view> texts_;
  std::vector<std::u32string> lists_;
  std::unordered_map<Value, char32_t, ValueHash> ids_;
};

// The pieces whose appends must all be seen; nullopt when more must be than there are.
using PieceSet = std::unordered_set<std::uint32_t>;
std::optional<PieceSet> pieces_to_show(const std::vector<Call>& calls, const Pieces& pieces) {
  struct Count {
    std::size_t appends = 0;
    std::size_t states = 0;  // that only they can have made
    bool is_put = false;
  };
  std::unordered_map<std::uint32_t, Count> counts;
  for (const Call& call : calls) {
    if (call.act == Act::read) continue;
    Count& count = counts[pieces.written_by(call)];
    call.act == Act::append ? void(++count.appends) : void(count.is_put = true);
  }
  std::unordered_map<std::uint64_t, std::uint64_t> states;  // by the one before and the last piece
  for (const Call& call : calls) {
    const auto shown = is_answer(call) ? pieces.in(call.result) : std::nullopt;
    std::uint64_t state = 0;
    for (const std::uint32_t piece : shown.value_or(std::vector<std::uint32_t>())) {
      if (piece == nobody) return std::nullopt;
      const auto [entry, is_new] = states.try_emplace(state << 32U | piece, states.size() + 1);
      if (is_new && (state != 0 || !counts[piece].is_put)) ++counts[piece].states;
      state = entry->second;
    }
  }
  PieceSet to_show;
  for (const auto& [piece, count] : counts) {
    if (count.states > count.appends) return std::nullopt;
    if (count.states == count.appends) to_show.insert(piece);
  }
  return to_show;
}

std::vector<bool> unseen_writes(const std::vector<Call>& calls, const Pieces& pieces) {
  std::vector<bool> is_seen(calls.size(), false);  // by piece
  for (const Call& call : calls) {
    if (!is_answer(call)) continue;
    const auto shown = pieces.in(call.result);
    for (const std::uint32_t piece : shown.value_or(std::vector<std::uint32_t>())) {
      if (piece != nobody) is_seen[piece] = true;
    }
  }
  std::vector<bool> unseen(calls.size(), false);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    unseen[i] = calls[i].act != Act::read && !is_seen[pieces.written_by(calls[i])];
  }
  return unseen;
}

constexpr StateId unseen_state = no_state - 1;

class AppendSpace : public ModelSpace<KeyValueModel> {
 public:
  explicit AppendSpace(const std::vector<Call>& calls) : answers_(calls) {}

  // `is_unseen`: it stands in no answer. `must_show`: it stands in one at once.
  std::uint32_t kind_of(const Call& call, bool is_unseen, bool must_show) {
    const std::uint32_t kind = ModelSpace::kind_of(call);
    if (kind == is_unseen_.size()) {
      is_unseen_.push_back(is_unseen);
      must_show_.push_back(must_show);
    }
    return kind;
  }
  bool is_spent(StateId state, std::uint32_t kind) const override {
    return state == unseen_state && is_unseen_[kind];
  }

 protected:
  StateId after(StateId state, std::uint32_t kind) override {
    const Call& call = call_of(kind);
    const bool leads_on = state != unseen_state || call.act == Act::write;
    if (call.act == Act::read) return leads_on ? ModelSpace::after(state, kind) : no_state;
    if (leads_on) {
      const Value& before = state_of(state == unseen_state ? first_state : state);
      const auto next = KeyValueModel::step(before, call);
      if (next && answers_.begin_with(*next)) return id_of(*next);
    }
    // An unknown one need not have happened.
    return call.is_certain() && !must_show_[kind] ? unseen_state : no_state;
  }

 private:
  Answers answers_;
  std::vector<bool> is_unseen_;  // by kind
  std::vector<bool> must_show_;
};

}  // namespace

std::optional<bool> decide_appends(const std::vector<Call>& calls) {
  const auto pieces = Pieces::of(calls);
  if (!pieces || pieces->has_twins()) return std::nullopt;
  // States by their last piece: one more than the call that wrote it.
  std::vector<bool> is_seen(calls.size(), false);
  std::vector<ValueId> before(calls.size(), no_value);  // what an append that was seen found
  std::vector<RegisterOp> ops;
  for (const Call& call : calls) {
    RegisterOp& op = ops.emplace_back();
    op.invoked = call.invoked;
    op.completed = call.completed;
    if (call.act != Act::read || !call.is_certain()) continue;
    const auto writers = pieces->in(call.result);
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

std::vector<bool> unseen_writes(const std::vector<Call>& calls) {
  const auto pieces = Pieces::of(calls);
  return pieces ? unseen_writes(calls, *pieces) : std::vector<bool>(calls.size(), false);
}

std::optional<Value> KeyValueModel::step(const Value& state, const Call& call) {
  if (call.act == Act::write) return call.argument;
  if (call.act == Act::read) {
    const bool is_right = state == call.result || (state.is_nil() && is_nothing(call.result));
    return is_right || !call.is_certain() ? std::optional(state) : std::nullopt;
  }
  const std::string* more = call.argument.as_string();
  if (more != nullptr && (state.is_nil() || state.as_string() != nullptr)) {
    return Value((state.is_nil() ? std::string() : *state.as_string()) + *more);
  }
  Value::List items;
  if (const Value::List* before = state.as_list()) {
    items = *before;
  } else if (!state.is_nil()) {
    items.push_back(state);
  }
  items.push_back(call.argument);
  return Value(std::move(items));
}

Decision decide_appends_by_search(const std::vector<Call>& calls, const Budget& budget,
                                  std::vector<std::uint32_t>* order) {
  const auto pieces = Pieces::of(calls);
  const auto to_show = pieces ? pieces_to_show(calls, *pieces) : PieceSet();
  if (!to_show) return {Decision::Answer::invalid, {}};
  const std::vector<bool> unseen =
      pieces ? unseen_writes(calls, *pieces) : std::vector<bool>(calls.size(), false);
  AppendSpace space(calls);
  std::vector<SearchOp> ops;
  ops.reserve(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Call& call = calls[i];
    const bool must_show =
        pieces && call.act == Act::append && to_show->contains(pieces->written_by(call));
    ops.push_back({call.invoked, call.completed, space.kind_of(call, unseen[i], must_show)});
  }
  return decide_by_search(ops, space, budget, order);
}

}  // namespace ordeal::checkers
