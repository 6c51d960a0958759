// The TOML of a custom workload, read and held against what there is.

#include <algorithm>

#include <fmt/format.h>

#include "core/json_fields.h"
#include "core/toml_fields.h"
#include "workloads/custom.h"
#include "workloads/judges.h"

namespace ordeal::workloads {
namespace {

std::string there_is(std::string_view word, const std::vector<std::string_view>& known) {
  const std::string_view near = nearest_word(word, known);
  return near.empty() ? fmt::format("there is: {}", fmt::join(known, ", "))
                      : fmt::format("did you mean \"{}\"?", near);
}

class Reader {
 public:
  Reader(const toml::table& root, const std::string& file) : root_(root), file_(file) {}

  Result<Definition> read() {
    const std::string whole = "the file";
    TomlFields fields(root_, whole, file_);
    fields.only({"workload", "phase"});
    const toml::node* head = fields.find("workload");
    const toml::node* phases = fields.find("phase");
    if (head == nullptr || head->as_table() == nullptr)
      fields.complain(root_, "there is no [workload], which a workload needs");
    else if (phases == nullptr || phases->as_array() == nullptr || phases->as_array()->empty())
      fields.complain(root_, "there is no [[phase]], which a workload needs");
    if (const auto status = fields.status(); !status) return pass_on(status.error());
    if (const auto done = read_head(*head->as_table()); !done) return pass_on(done.error());
    for (const toml::node& phase : *phases->as_array()) {
      if (phase.as_table() == nullptr)
        return pass_on(toml_error(file_, phase, "a phase is a table: [[phase]]"));
      if (const auto done = read_phase(*phase.as_table()); !done) return pass_on(done.error());
    }
    return std::move(to_);
  }

 private:
  Result<void> read_head(const toml::table& table) {
    const std::string what = "[workload]";
    TomlFields fields(table, what, file_);
    fields.only({"name", "check", "keys", "group", "operations_per_key"})
        .required("name", to_.name)
        .required("check", to_.check);
    number(fields, "keys", to_.keys);
    number(fields, "group", to_.group);
    number(fields, "operations_per_key", to_.operations_per_key);
    if (const auto status = fields.status(); !status) return status;
    const bool plain =
        !to_.name.empty() && to_.name.size() <= 40 &&
        to_.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
    if (!plain)
      fields.complain(*table.get("name"),
                      "the name of a workload is made of a-z, 0-9 and -, 40 at most");
    judge_ = judge_named(to_.check);
    if (judge_ == nullptr) {
      std::vector<std::string_view> names;
      for (const Judge& judge : judges()) names.push_back(judge.name);
      fields.complain(*table.get("check"), fmt::format("there is no check \"{}\"; {}", to_.check,
                                                       there_is(to_.check, names)));
    }
    return fields.status();
  }

  static void number(TomlFields& fields, std::string_view key, std::optional<std::size_t>& to) {
    std::size_t given = 0;
    fields.optional(key, given);
    const toml::node* found = fields.find(key);
    if (found != nullptr && given == 0)
      fields.complain(*found, fmt::format("\"{}\" of [workload] must be at least 1", key));
    if (found != nullptr) to = given;
  }

  Result<void> read_phase(const toml::table& table) {
    const std::string what = "[[phase]]";
    if (!to_.phases.empty() && to_.phases.back().time == Nanoseconds::zero())
      return pass_on(toml_error(file_, table,
                                "this phase would never come: the one before has no \"time\", so "
                                "it lasts to the end"));
    Phase phase;
    TomlFields fields(table, what, file_);
    fields.only({"time", "rate", "mix"}).optional("time", phase.time).optional("rate", phase.rate);
    if (const toml::node* time = fields.find("time"); time && phase.time <= Nanoseconds::zero())
      fields.complain(*time, "the \"time\" of a phase must be more than nothing");
    if (const toml::node* rate = fields.find("rate"); rate && phase.rate <= 0)
      fields.complain(*rate,
                      "the \"rate\" of a phase must be more than 0; left out, it is as fast "
                      "as clients are answered");
    const toml::node* mix = fields.find("mix");
    if (mix == nullptr || mix->as_array() == nullptr || mix->as_array()->empty())
      fields.complain(mix == nullptr ? table : *mix,
                      "a phase needs mix = [ { function = \"read\" }, ... ]");
    if (const auto status = fields.status(); !status) return status;
    for (const toml::node& item : *mix->as_array()) {
      auto choice = read_choice(item);
      if (!choice) return pass_on(choice.error());
      phase.mix.push_back(std::move(*choice));
    }
    const bool waits = std::all_of(phase.mix.begin(), phase.mix.end(),
                                   [](const Choice& choice) { return uses_last(choice.value); });
    if (waits)
      return pass_on(toml_error(file_, *mix,
                                "all of this mix use {last}: nothing could be asked before the "
                                "first answer; add one that does not"));
    to_.phases.push_back(std::move(phase));
    return {};
  }

  static bool uses_last(const Template& value) {
    return value.kind == Template::Kind::last ||
           std::any_of(value.items.begin(), value.items.end(), uses_last);
  }

  Result<Choice> read_choice(const toml::node& item) {
    if (item.as_table() == nullptr)
      return pass_on(toml_error(file_, item, "one of a mix is { function = \"read\", ... }"));
    const toml::table& table = *item.as_table();
    const std::string what = "one of a mix";
    std::string function;
    Choice choice;
    TomlFields fields(table, what, file_);
    fields.only({"function", "value", "weight"})
        .required("function", function)
        .optional("weight", choice.weight);
    if (const auto status = fields.status(); !status) return pass_on(status.error());
    std::vector<std::string_view> names;
    for (const Function taken : judge_->takes) names.push_back(to_text(taken));
    const auto known = function_named(function);
    if (std::find(names.begin(), names.end(), function) == names.end())
      return pass_on(
          toml_error(file_, *table.get("function"),
                     fmt::format("{} \"{}\"; {}",
                                 known ? fmt::format("the check {} does not judge", judge_->name)
                                       : "there is no function",
                                 function, there_is(function, names))));
    choice.function = *known;
    if (choice.weight <= 0)
      return pass_on(toml_error(file_, *table.get("weight"), "a weight is more than 0"));
    if (const auto read = read_value(table, choice); !read) return pass_on(read.error());
    return choice;
  }

  Result<void> read_value(const toml::table& table, Choice& choice) const {
    const toml::node* value = table.get("value");
    const std::string_view name = to_text(choice.function);
    if (choice.function == judge_->takes.back()) {
      if (value == nullptr) return {};
      return pass_on(toml_error(file_, *value, fmt::format("{} takes no value", name)));
    }
    if (value == nullptr)
      return pass_on(toml_error(
          file_, table, fmt::format("{} needs a value, like value = \"{{unique}}\"", name)));
    auto read = read_template(*value);
    if (!read) return pass_on(read.error());
    choice.value = std::move(*read);
    using Kind = Template::Kind;
    const Template& made = choice.value;
    if (choice.function == Function::cas && (made.kind != Kind::list || made.items.size() != 2))
      return pass_on(toml_error(file_, *value,
                                "the value of cas is a list of two: [\"{last}\", \"{unique}\"]"));
    const bool is_number = made.kind == Kind::between || made.kind == Kind::unique ||
                           made.literal.as_integer() != nullptr;
    if ((judge_->name == "counter" || judge_->name == "list") && !is_number)
      return pass_on(toml_error(
          file_, *value, fmt::format("the value of {} for a {} is a number", name, judge_->name)));
    const bool once = judge_->name == "set" || judge_->name == "queue";
    if (once && made.kind != Kind::unique)
      return pass_on(toml_error(file_, *value,
                                fmt::format("elements of a {} must be told apart: value = "
                                            "\"{{unique}}\"",
                                            judge_->name)));
    return {};
  }

  [[nodiscard]] Result<Template> read_template(const toml::node& node) const {
    Template made;
    if (const toml::array* items = node.as_array()) {
      made.kind = Template::Kind::list;
      for (const toml::node& item : *items) {
        auto one = read_template(item);
        if (!one) return one;
        made.items.push_back(std::move(*one));
      }
    } else if (const auto text = node.value_exact<std::string>()) {
      return read_text(*text, node);
    } else if (const auto number = node.value_exact<std::int64_t>()) {
      made.literal = Value(*number);
    } else if (const auto truth = node.value_exact<bool>()) {
      made.literal = Value(*truth);
    } else {
      return pass_on(
          toml_error(file_, node, "a value is a text, a whole number, true, false or a list"));
    }
    return made;
  }

  [[nodiscard]] Result<Template> read_text(const std::string& text, const toml::node& node) const {
    Template made;
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
      made.literal = Value(text);
      return made;
    }
    const std::string word = text.substr(1, text.size() - 2);
    if (word == "unique" || word == "last") {
      made.kind = word == "last" ? Template::Kind::last : Template::Kind::unique;
      return made;
    }
    const std::size_t dots = word.find("..");
    const auto number = [](std::string_view digits) -> std::optional<std::int64_t> {
      const bool plain = !digits.empty() && digits.size() <= 15 &&
                         digits.find_first_not_of("0123456789") == std::string_view::npos;
      if (!plain) return std::nullopt;
      return std::stoll(std::string(digits));
    };
    const auto low = dots == std::string::npos ? std::nullopt : number(word.substr(0, dots));
    const auto high = dots == std::string::npos ? std::nullopt : number(word.substr(dots + 2));
    if (!low || !high || *low > *high)
      return pass_on(toml_error(file_, node,
                                fmt::format("{} is no placeholder of a workload; {}", text,
                                            there_is(word, {"unique", "last", "1..10"}))));
    made.kind = Template::Kind::between;
    made.low = *low;
    made.high = *high;
    return made;
  }

  const toml::table& root_;
  const std::string& file_;
  const Judge* judge_ = nullptr;
  Definition to_;
};

}  // namespace

Result<Definition> parse_workload(std::string_view text, const std::string& file) {
  const auto root = parse_toml(text, file);
  if (!root) return pass_on(root.error());
  return Reader(*root, file).read();
}

}  // namespace ordeal::workloads
