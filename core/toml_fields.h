#pragma once
// Members of a TOML table, one after the other, without exceptions: the first that is missing, of
// the wrong type or not known is remembered with file and line, the rest are skipped, and status()
// tells it with the known word that is nearest. Include it in .cc files only: toml++ is large.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Debian has it compiled, as a library.
#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include "core/result.h"
#include "core/time.h"

namespace ordeal {

// "mydb.toml:12: not TOML: ..." when it is none.
[[nodiscard]] Result<toml::table> parse_toml(std::string_view text, const std::string& file);

class TomlFields {
 public:
  using Words = std::vector<std::string>;

  // `what` names the table: "[node]". The file is for messages. Both are kept by reference.
  TomlFields(const toml::table& table, const std::string& what, const std::string& file)
      : table_(table), what_(what), file_(file) {}

  // Every key of the table must be one of these.
  TomlFields& only(std::initializer_list<std::string_view> known);

  // Absent members leave `to` as it is, unless they are required.
  template <class T>
  TomlFields& optional(std::string_view key, T& to) {
    if (const toml::node* found = find(key)) read(key, *found, to);
    return *this;
  }
  template <class T>
  TomlFields& required(std::string_view key, T& to) {
    if (find(key) == nullptr)
      complain(table_, fmt::format("{} has no \"{}\", which it needs", what_, key));
    return optional(key, to);
  }

  // The member as it is, null when absent; and the line of it for further complaints.
  [[nodiscard]] const toml::node* find(std::string_view key) const;
  void complain(const toml::node& where, const std::string& text);

  [[nodiscard]] Result<void> status() const {
    if (failed_) return pass_on(*failed_);
    return {};
  }

 private:
  void read(std::string_view key, const toml::node& found, std::string& to);
  void read(std::string_view key, const toml::node& found, bool& to);
  void read(std::string_view key, const toml::node& found, double& to);
  void read(std::string_view key, const toml::node& found, std::size_t& to);
  void read(std::string_view key, const toml::node& found, Nanoseconds& to);
  void read(std::string_view key, const toml::node& found, Words& to);
  void read(std::string_view key, const toml::node& found, std::map<std::string, std::string>& to);
  void wrong(std::string_view key, const toml::node& found, std::string_view expected);

  const toml::table& table_;
  const std::string& what_;
  const std::string& file_;
  std::optional<Error> failed_;
};

// "FILE:LINE: text"; the line is left out where the node has none.
[[nodiscard]] Error toml_error(const std::string& file, const toml::node& where,
                               std::string_view text);

}  // namespace ordeal
