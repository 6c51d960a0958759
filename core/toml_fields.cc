#include "core/toml_fields.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/json_fields.h"

namespace ordeal {

Result<toml::table> parse_toml(std::string_view text, const std::string& file) {
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& failure) {
    return error("{}:{}: not TOML: {}", file, failure.source().begin.line, failure.description());
  }
}

Error toml_error(const std::string& file, const toml::node& where, std::string_view text) {
  const auto line = where.source().begin.line;
  if (line == 0) return {fmt::format("{}: {}", file, text)};
  return {fmt::format("{}:{}: {}", file, line, text)};
}

const toml::node* TomlFields::find(std::string_view key) const {
  return failed_ ? nullptr : table_.get(key);
}

void TomlFields::complain(const toml::node& where, const std::string& text) {
  if (!failed_) failed_ = toml_error(file_, where, text);
}

TomlFields& TomlFields::only(std::initializer_list<std::string_view> known) {
  for (const auto& [key, node] : table_) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    const std::string_view near = nearest_word(key.str(), known);
    complain(node, fmt::format("{} has no key \"{}\"; {}", what_, key.str(),
                               near.empty() ? fmt::format("there is: {}", fmt::join(known, ", "))
                                            : fmt::format("did you mean \"{}\"?", near)));
  }
  return *this;
}

void TomlFields::wrong(std::string_view key, const toml::node& found, std::string_view expected) {
  complain(found, fmt::format("\"{}\" of {} must be {}", key, what_, expected));
}

void TomlFields::read(std::string_view key, const toml::node& found, std::string& to) {
  if (const auto text = found.value_exact<std::string>()) {
    to = *text;
  } else {
    wrong(key, found, "a text in quotes");
  }
}

void TomlFields::read(std::string_view key, const toml::node& found, bool& to) {
  if (const auto truth = found.value_exact<bool>()) {
    to = *truth;
  } else {
    wrong(key, found, "true or false");
  }
}

void TomlFields::read(std::string_view key, const toml::node& found, double& to) {
  if (const auto number = found.value<double>(); number && found.is_number()) {
    to = *number;
  } else {
    wrong(key, found, "a number");
  }
}

void TomlFields::read(std::string_view key, const toml::node& found, std::size_t& to) {
  if (const auto number = found.value_exact<std::int64_t>(); number && *number >= 0) {
    to = static_cast<std::size_t>(*number);
  } else {
    wrong(key, found, "a whole number, not negative");
  }
}

void TomlFields::read(std::string_view key, const toml::node& found, Nanoseconds& to) {
  const auto text = found.value_exact<std::string>();
  const auto duration = text ? parse_duration(*text) : std::nullopt;
  if (duration) {
    to = *duration;
  } else {
    wrong(key, found, "a duration in quotes, like \"20s\" or \"500ms\"");
  }
}

void TomlFields::read(std::string_view key, const toml::node& found, Words& to) {
  const toml::array* items = found.as_array();
  if (items == nullptr) return wrong(key, found, "a list of texts, like [\"a\", \"b\"]");
  to.clear();
  for (const toml::node& item : *items) {
    const auto text = item.value_exact<std::string>();
    if (!text) return wrong(key, item, "a list of texts, like [\"a\", \"b\"]");
    to.push_back(*text);
  }
}

void TomlFields::read(std::string_view key, const toml::node& found,
                      std::map<std::string, std::string>& to) {
  const toml::table* table = found.as_table();
  if (table == nullptr) return wrong(key, found, "a table of texts, like { name = \"value\" }");
  for (const auto& [name, node] : *table) {
    const auto text = node.value_exact<std::string>();
    if (!text) return wrong(key, node, "a table of texts, like { name = \"value\" }");
    to[std::string(name.str())] = *text;
  }
}

}  // namespace ordeal
