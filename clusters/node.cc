#include "clusters/node.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "core/json_fields.h"

namespace ordeal::clusters {
namespace {

constexpr int known_schema = 1;

std::filesystem::path expand_home(const std::string& text) {
  const char* home = std::getenv("HOME");
  if (home == nullptr || (text != "~" && !text.starts_with("~/"))) return text;
  return std::filesystem::path(home) / (text.size() > 2 ? text.substr(2) : "");
}

// Names become folders of the run directory and words of reports.
bool is_plain_name(std::string_view name) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::strchr("-_.", c) != nullptr;
  };
  return !name.empty() && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), plain);
}

Result<void> check_host(const std::string& host) {
  if (host.empty()) return error("the host is empty");
  if (host.front() == '-' || host.find_first_of(" \t\n@/'\"") != std::string::npos)
    return error("\"{}\" is not a host name or address", host);
  return {};
}

Result<Node> node_from_json(const Json& json) {
  Node node;
  std::string identity, known_hosts;
  const Result<void> read =
      Fields(json, "a node")
          .only({"name", "host", "port", "user", "identity", "known_hosts", "address", "zone"})
          .required("name", node.name)
          .required("host", node.host)
          .optional("port", node.port)
          .optional("user", node.user)
          .optional("identity", identity)
          .optional("known_hosts", known_hosts)
          .optional("address", node.address)
          .optional("zone", node.zone)
          .status();
  if (!read) return pass_on(read.error());
  if (!is_plain_name(node.name))
    return error("node name \"{}\": use letters, digits, '-', '_' and '.'", node.name);
  if (const Result<void> host = check_host(node.host); !host)
    return pass_on(host.error(), node.name);
  node.identity = expand_home(identity);
  node.known_hosts = expand_home(known_hosts);
  return node;
}

Result<Inventory> inventory_from_json(const Json& json) {
  Inventory inventory;
  int schema = known_schema;
  std::string network_namespace;
  const Result<void> read = Fields(json, "the inventory")
                                .only({"schema", "nodes", "network_namespace"})
                                .optional("schema", schema)
                                .each("nodes", inventory.nodes, node_from_json)
                                .optional("network_namespace", network_namespace)
                                .status();
  if (!read) return pass_on(read.error());
  if (schema != known_schema)
    return error("schema {} is not known to this version of ordeal, which reads schema {}", schema,
                 known_schema);
  if (inventory.nodes.empty()) return error("the inventory names no nodes");
  std::set<std::string> names;
  for (const Node& node : inventory.nodes)
    if (!names.insert(node.name).second) return error("two nodes are named \"{}\"", node.name);
  inventory.network_namespace = network_namespace;
  return inventory;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535)
    return error("\"{}\" is not a port; ports are 1 to 65535", text);
  return static_cast<std::uint16_t>(port);
}

}  // namespace

Result<Inventory> parse_inventory(std::string_view json, std::string_view file_name) {
  const Result<Json> parsed = parse_json(json);
  if (!parsed) return pass_on(parsed.error(), file_name);
  Result<Inventory> inventory = inventory_from_json(*parsed);
  if (!inventory) return pass_on(inventory.error(), file_name);
  return inventory;
}

std::string to_json_text(const Inventory& inventory) {
  Json nodes = Json::array();
  for (const Node& node : inventory.nodes) {
    Json json{{"name", node.name}, {"host", node.host}};
    if (node.port != 0) json["port"] = node.port;
    if (!node.user.empty()) json["user"] = node.user;
    if (!node.identity.empty()) json["identity"] = node.identity.string();
    if (!node.known_hosts.empty()) json["known_hosts"] = node.known_hosts.string();
    if (!node.address.empty()) json["address"] = node.address;
    if (!node.zone.empty()) json["zone"] = node.zone;
    nodes.push_back(std::move(json));
  }
  Json json{{"schema", known_schema}, {"nodes", std::move(nodes)}};
  if (!inventory.network_namespace.empty())
    json["network_namespace"] = inventory.network_namespace.string();
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Node> parse_node(std::string_view text, std::size_t position) {
  const std::string step = fmt::format("node \"{}\"", text);
  Node node;
  node.name = fmt::format("n{}", position);
  std::string_view rest = text;
  if (const auto comma = rest.find(','); comma != std::string_view::npos) {
    constexpr std::string_view zone = ",zone=";
    if (!rest.substr(comma).starts_with(zone) || rest.size() == comma + zone.size())
      return pass_on(Error{"only ,zone=NAME may follow its address"}, step);
    node.zone = rest.substr(comma + zone.size());
    rest = rest.substr(0, comma);
  }
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    node.user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    if (node.user.empty()) return pass_on(Error{"there is no user before the @"}, step);
  }
  std::optional<std::string_view> port;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos)
      return pass_on(Error{"the [ of the address has no ]"}, step);
    node.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    if (!rest.empty() && rest.front() != ':')
      return pass_on(Error{"only :PORT may follow the ] of an address"}, step);
    if (!rest.empty()) port = rest.substr(1);
  } else if (std::count(rest.begin(), rest.end(), ':') == 1) {
    node.host = rest.substr(0, rest.find(':'));
    port = rest.substr(rest.find(':') + 1);
  } else {
    node.host = rest;  // several colons without brackets are an IPv6 address
  }
  if (const Result<void> host = check_host(node.host); !host) return pass_on(host.error(), step);
  if (port) {
    const Result<std::uint16_t> number = parse_port(*port);
    if (!number) return pass_on(number.error(), step);
    node.port = *number;
  }
  return node;
}

Result<void> enter_network(const Inventory& inventory) {
  const std::string path = inventory.network_namespace.string();
  if (path.empty()) return {};
  const auto refused = [&](int why) -> Result<void> {
    const std::string step = fmt::format("entering the network of the nodes ({})", path);
    switch (why) {
      case ENOENT:
        return error("{}: it is gone; is the lab up? Try: ordeal lab status", step);
      case EPERM:
      case EACCES:
        return error("{}: permission denied; run ordeal as root", step);
      case EINVAL:
        return error("{}: this is not a network namespace", step);
      default:
        return error("{}: {}", step, std::strerror(why));
    }
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refused(errno);
  const int why = ::setns(fd, CLONE_NEWNET) == 0 ? 0 : errno;
  ::close(fd);
  return why == 0 ? Result<void>{} : refused(why);
}

}  // namespace ordeal::clusters
