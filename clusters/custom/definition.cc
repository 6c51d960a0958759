#include "clusters/custom/definition.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/json_fields.h"
#include "core/toml_fields.h"

namespace ordeal::clusters::custom {
namespace {

// What a text about a node may name; what is known of every node; what a client may name.
const std::vector<std::string_view> of_peer = {"id", "name", "host"};
const std::vector<std::string_view> of_client = {"id", "name", "host", "peers", "others", "nodes"};
const std::vector<std::string_view> of_node = {"id",     "name",  "host", "peers",
                                               "others", "nodes", "dir",  "data"};

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

class Reader {
 public:
  Reader(const toml::table& root, Definition& to) : root_(root), to_(to) {}

  [[nodiscard]] Result<void> read(const std::map<std::string, std::string>& options) {
    using Step = Result<void> (Reader::*)();
    const std::string all = "the file";
    const auto known = TomlFields(root_, all, to_.file)
                           .only({"cluster", "options", "node", "leader", "client"})
                           .status();
    if (!known) return known;
    if (const auto read = read_options(options); !read) return read;
    for (const Step step :
         {&Reader::read_cluster, &Reader::read_install, &Reader::read_run, &Reader::read_ready,
          &Reader::read_ends, &Reader::read_leader, &Reader::read_client, &Reader::check_texts}) {
      if (const auto read = (this->*step)(); !read) return read;
    }
    return {};
  }

 private:
  // A table of the root, or an Error that it is missing or none.
  [[nodiscard]] Result<const toml::table*> table(std::string_view name) const {
    const toml::node* found = root_.get(name);
    if (found == nullptr) return error("{}: has no [{}], which it needs", to_.file, name);
    if (found->as_table() == nullptr)
      return pass_on(toml_error(to_.file, *found, fmt::format("{} must be a table", name)));
    return found->as_table();
  }

  Result<void> read_options(const std::map<std::string, std::string>& given) {
    if (root_.contains("options")) {
      const std::string all = "the file";
      const auto read = TomlFields(root_, all, to_.file).optional("options", to_.options).status();
      if (!read) return read;
    }
    std::vector<std::string_view> names;
    for (const auto& [name, value] : to_.options) names.push_back(name);
    for (const auto& [name, value] : given) {
      if (to_.options.count(name) != 0) {
        to_.options[name] = value;
        continue;
      }
      const std::string_view near = nearest_word(name, names);
      return error("--option {}: {} has no such option{}", name, to_.file,
                   near.empty() ? fmt::format("; its [options] are: {}", fmt::join(names, ", "))
                                : fmt::format("; did you mean {}?", near));
    }
    return {};
  }

  Result<void> read_cluster() {
    const auto found = table("cluster");
    if (!found) return pass_on(found.error());
    const std::string what = "[cluster]";
    TomlFields fields(**found, what, to_.file);
    fields.only({"name", "promise", "nodes", "nodes_min", "nodes_max"})
        .required("name", to_.name)
        .required("promise", to_.promise)
        .optional("nodes", to_.nodes)
        .optional("nodes_min", to_.nodes_min)
        .optional("nodes_max", to_.nodes_max);
    if (const auto read = fields.status(); !read) return read;
    if (!is_plain_name(to_.name))
      fields.complain(*(*found)->get("name"),
                      "the name of a cluster is made of a-z, 0-9 and -, 40 at most");
    if (to_.nodes_min < 1 || to_.nodes < to_.nodes_min || to_.nodes_max < to_.nodes)
      fields.complain(**found, fmt::format("[cluster] nodes_min {} <= nodes {} <= nodes_max {} "
                                           "must hold, from 1 on",
                                           to_.nodes_min, to_.nodes, to_.nodes_max));
    return fields.status();
  }

  [[nodiscard]] Result<Upload> upload(const toml::node& item) const {
    Upload upload;
    std::string mode;
    if (const auto from = item.value_exact<std::string>()) {
      upload.from = *from;
    } else if (const toml::table* parts = item.as_table()) {
      const std::string what = "an upload";
      TomlFields fields(*parts, what, to_.file);
      fields.only({"from", "to", "mode"})
          .required("from", upload.from)
          .optional("to", upload.to)
          .optional("mode", mode);
      if (!mode.empty()) {
        const bool octal = mode.size() <= 4 && mode.find_first_not_of("01234567") == mode.npos;
        if (!octal)
          fields.complain(*parts->get("mode"), "the mode of an upload is octal, like \"0644\"");
        if (octal) upload.mode = static_cast<unsigned>(std::stoul(mode, nullptr, 8));
      }
      if (const auto read = fields.status(); !read) return pass_on(read.error());
    } else {
      return pass_on(
          toml_error(to_.file, item, "an upload is a file name or { from = \"a\", to = \"b\" }"));
    }
    upload.line = item.source().begin.line;
    if (upload.to.empty()) upload.to = std::filesystem::path(upload.from).filename().string();
    return upload;
  }

  Result<void> read_install() {
    const auto found = table("node");
    if (!found) return pass_on(found.error());
    node_ = *found;
    const auto fields =
        TomlFields(*node_, node_name_, to_.file)
            .only({"upload", "setup", "setup_within", "start", "other_start", "environment", "peer",
                   "separator", "ports", "ready", "logs", "data", "stop", "kill"})
            .optional("setup", to_.setup)
            .optional("setup_within", to_.setup_within)
            .optional("logs", to_.logs)
            .optional("data", to_.data)
            .status();
    if (!fields) return fields;
    if (const toml::node* uploads = node_->get("upload")) {
      if (uploads->as_array() == nullptr)
        return pass_on(toml_error(to_.file, *uploads, "\"upload\" of [node] must be a list"));
      for (const toml::node& item : *uploads->as_array()) {
        auto one = upload(item);
        if (!one) return pass_on(one.error());
        to_.uploads.push_back(std::move(*one));
      }
    }
    return {};
  }

  Result<void> read_run() {
    TomlFields fields(*node_, node_name_, to_.file);
    fields.required("start", to_.start)
        .optional("other_start", to_.other_start)
        .optional("environment", to_.environment)
        .optional("peer", to_.peer)
        .optional("separator", to_.separator);
    if (const auto read = fields.status(); !read) return read;
    if (to_.start.empty()) fields.complain(*node_->get("start"), "\"start\" of [node] is empty");
    if (const toml::node* ports = node_->get("ports")) {
      const toml::array* list = ports->as_array();
      for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        const auto port = (*list)[i].value_exact<std::int64_t>();
        if (!port || *port < 1 || *port > 65535)
          fields.complain((*list)[i], "\"ports\" of [node] are numbers from 1 to 65535");
        to_.ports.push_back(static_cast<std::uint16_t>(port.value_or(0)));
      }
      if (list == nullptr) fields.complain(*ports, "\"ports\" of [node] must be a list of numbers");
    }
    return fields.status();
  }

  Result<void> read_ready() {
    const toml::node* ready = node_->get("ready");
    if (ready == nullptr || ready->as_table() == nullptr)
      return pass_on(toml_error(to_.file, ready == nullptr ? *node_ : *ready,
                                "[node] needs ready = { tcp = \"{host}:PORT\" }, or http, command "
                                "or log in its place"));
    const std::string what = "ready";
    TomlFields fields(*ready->as_table(), what, to_.file);
    fields.only({"tcp", "http", "command", "log", "within"})
        .optional("tcp", to_.ready.tcp)
        .optional("http", to_.ready.http)
        .optional("command", to_.ready.command)
        .optional("log", to_.ready.log)
        .optional("within", to_.ready_within);
    int ways = 0;
    for (const Text* way : {&to_.ready.tcp, &to_.ready.http, &to_.ready.command, &to_.ready.log})
      ways += way->empty() ? 0 : 1;
    if (ways != 1)
      fields.complain(*ready, "ready must have exactly one of tcp, http, command and log");
    if (!to_.ready.http.empty() && to_.ready.http.rfind("http://", 0) != 0)
      fields.complain(*ready, "the http of ready must begin with http://");
    return fields.status();
  }

  // stop = { command = "...", within = "5s" }, kill = { command = "..." }
  Result<void> read_ends() {
    for (const std::string key : {"stop", "kill"}) {
      const toml::node* found = node_->get(key);
      if (found == nullptr) continue;
      if (found->as_table() == nullptr)
        return pass_on(
            toml_error(to_.file, *found,
                       fmt::format("{0} must be a table: {0} = {{ command = \"...\" }}", key)));
      TomlFields fields(*found->as_table(), key, to_.file);
      if (key == "stop")
        fields.only({"command", "within"})
            .optional("command", to_.stop)
            .optional("within", to_.stop_within);
      else
        fields.only({"command"}).required("command", to_.kill);
      if (const auto read = fields.status(); !read) return read;
    }
    return {};
  }

  Result<void> read_leader() {
    if (!root_.contains("leader")) return {};
    const auto found = table("leader");
    if (!found) return pass_on(found.error());
    const std::string what = "[leader]";
    TomlFields fields(**found, what, to_.file);
    fields.only({"url", "command", "leader", "term", "version"})
        .optional("url", to_.leader.url)
        .optional("command", to_.leader.command)
        .required("leader", to_.leader.leader)
        .optional("term", to_.leader.term)
        .optional("version", to_.leader.version);
    if (to_.leader.url.empty() == to_.leader.command.empty())
      fields.complain(**found, "[leader] must have exactly one of url and command");
    if (!to_.leader.url.empty() && to_.leader.url.rfind("http://", 0) != 0)
      fields.complain(**found, "the url of [leader] must begin with http://");
    for (const std::string* pointer : {&to_.leader.leader, &to_.leader.term, &to_.leader.version}) {
      if (!pointer->empty() && pointer->front() != '/')
        fields.complain(**found, fmt::format("\"{}\" in [leader] is no JSON pointer; those begin "
                                             "with /, like \"/raft/leader\"",
                                             *pointer));
    }
    return fields.status();
  }

  Result<void> read_client() {
    const auto found = table("client");
    if (!found) return pass_on(found.error());
    const std::string what = "[client]";
    std::vector<std::string> functions;
    TomlFields fields(**found, what, to_.file);
    fields.only({"command", "functions", "fail", "hello_within"})
        .required("command", to_.client.command)
        .required("functions", functions)
        .optional("hello_within", to_.client.hello_within);
    if (const toml::node* fail = fields.find("fail")) {
      if (fail->is_array()) {
        std::vector<std::string> codes;
        fields.optional("fail", codes);
        for (const std::string& code : codes)
          to_.client.fail[code] = "as " + to_.file + " declares";
      } else {
        fields.optional("fail", to_.client.fail);
      }
    }
    if (const auto read = fields.status(); !read) return read;
    if (to_.client.command.empty())
      fields.complain(*(*found)->get("command"), "\"command\" of [client] is empty");
    std::vector<std::string_view> names;
    for (const Function function : all_functions()) names.push_back(to_text(function));
    for (const std::string& name : functions) {
      if (const auto function = function_named(name)) {
        to_.client.functions.push_back(*function);
        continue;
      }
      const auto near = nearest_word(name, names);
      fields.complain(*(*found)->get("functions"),
                      fmt::format("there is no function \"{}\"; {}", name,
                                  near.empty() ? fmt::format("there is: {}", fmt::join(names, ", "))
                                               : fmt::format("did you mean \"{}\"?", near)));
    }
    return fields.status();
  }

  // Every text of the file, with the placeholders that its place allows.
  Result<void> check_texts() {
    struct Place {
      std::string_view table, key;
      const std::vector<std::string_view>* allowed;
    };
    const Place places[] = {{"node", "setup", &of_node},       {"node", "start", &of_node},
                            {"node", "other_start", &of_node}, {"node", "upload", &of_node},
                            {"node", "environment", &of_node}, {"node", "peer", &of_peer},
                            {"node", "ready", &of_node},       {"node", "logs", &of_node},
                            {"node", "data", &of_node},        {"node", "stop", &of_node},
                            {"node", "kill", &of_node},        {"leader", "url", &of_node},
                            {"leader", "command", &of_node},   {"client", "command", &of_client}};
    for (const Place& place : places) {
      const toml::table* in = root_[place.table].as_table();
      const toml::node* found = in == nullptr ? nullptr : in->get(place.key);
      if (found == nullptr) continue;
      if (const auto checked = check_text(*found, *place.allowed); !checked) return checked;
    }
    return {};
  }

  [[nodiscard]] Result<void> check_text(const toml::node& node,
                                        const std::vector<std::string_view>& allowed) const {
    Result<void> checked;
    if (const toml::array* items = node.as_array()) {
      for (const toml::node& item : *items)
        if (checked && !(checked = check_text(item, allowed))) break;
    } else if (const toml::table* members = node.as_table()) {
      for (const auto& [key, item] : *members)
        if (checked && !(checked = check_text(item, allowed))) break;
    } else if (const auto text = node.value_exact<std::string>()) {
      std::map<std::string, std::string> values = to_.options;
      for (const std::string_view name : allowed) values[std::string(name)] = "";
      if (const auto filled = fill(*text, values); !filled)
        return pass_on(toml_error(to_.file, node, filled.error().message));
    }
    return checked;
  }

  const toml::table& root_;
  Definition& to_;
  const toml::table* node_ = nullptr;
  const std::string node_name_ = "[node]";
};

}  // namespace

Result<std::string> fill(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string filled;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      filled += c;
      ++i;
    } else if (c == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string_view::npos)
        return error("\"{}\" opens a brace and does not close it; write {{{{ for a brace", text);
      const std::string name(text.substr(i + 1, end - i - 1));
      const auto value = values.find(name);
      if (value == values.end()) {
        std::vector<std::string_view> known;
        for (const auto& [word, ignored] : values) known.push_back(word);
        const std::string_view near = nearest_word(name, known);
        return error("{{{}}} in \"{}\" is no placeholder here; {}; write {{{{ for a brace", name,
                     text,
                     near.empty() ? fmt::format("there is: {}", fmt::join(known, ", "))
                                  : fmt::format("did you mean {{{}}}?", near));
      }
      filled += value->second;
      i = end;
    } else {
      filled += c;
    }
  }
  return filled;
}

Result<Definition> parse_definition(std::string_view text, const std::string& file,
                                    const std::map<std::string, std::string>& options) {
  const auto root = parse_toml(text, file);
  if (!root) return pass_on(root.error());
  Definition definition;
  definition.file = file;
  std::error_code failed;  // then names are relative to here
  definition.folder = std::filesystem::absolute(file, failed).parent_path();
  if (const auto read = Reader(*root, definition).read(options); !read)
    return pass_on(read.error());
  return definition;
}

Result<void> check_files(const Definition& definition) {
  for (const Upload& upload : definition.uploads) {
    std::error_code failed;
    if (!std::filesystem::is_regular_file(definition.folder / upload.from, failed))
      return error(
          "{}:{}: there is no file {} to upload (names are relative to the folder of the TOML)",
          definition.file, upload.line, (definition.folder / upload.from).string());
  }
  return {};
}

}  // namespace ordeal::clusters::custom
