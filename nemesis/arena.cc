#include "nemesis/arena.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include <arpa/inet.h>
#include <netdb.h>

namespace ordeal::nemesis {

namespace {

// In the one spelling of inet_ntop, without the zone of a link-local address; nothing for what is
// no address.
std::optional<std::string> canonical(const std::string& text) {
  const std::string bare = text.substr(0, text.find('%'));
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> spelling{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, bare.c_str(), bytes.data()) != 1) continue;
    return ::inet_ntop(family, bytes.data(), spelling.data(), spelling.size());
  }
  return std::nullopt;
}

// Whether another machine can mean this node by it.
bool is_global(const std::string& address) {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    const std::uint32_t host = ntohl(v4.s_addr);
    return host >> 24U != 127 && host >> 16U != 0xa9fe && host != 0;
  }
  in6_addr v6{};
  return ::inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6) == 0 &&
         IN6_IS_ADDR_LINKLOCAL(&v6) == 0 && IN6_IS_ADDR_UNSPECIFIED(&v6) == 0 &&
         IN6_IS_ADDR_V4MAPPED(&v6) == 0;
}

std::vector<std::string> resolve(const std::string& host) {
  std::vector<std::string> addresses;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text.data());
    }
  }
  ::freeaddrinfo(list);
  return addresses;
}

void add_global(std::vector<std::string>& addresses, const std::string& text) {
  const std::optional<std::string> address = canonical(text);
  if (!address || !is_global(*address)) return;
  if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end())
    addresses.push_back(*address);
}

}  // namespace

std::string facts_command() {
  return "PATH=$PATH:/usr/sbin:/sbin\n"
         "echo \"ssh $SSH_CONNECTION\"\n"
         "hostname -I 2>/dev/null ||\n"
         "  ip -o addr show | sed -n 's/^.* inet6* \\([^ /]*\\).*$/\\1/p'\n";
}

NodeFacts parse_facts(std::string_view printed, const clusters::Node& node) {
  NodeFacts facts;
  if (node.port != 0) facts.ssh_port = node.port;
  std::istringstream lines{std::string(printed)};
  std::string line, word;
  if (std::getline(lines, line)) {
    // ssh CLIENT CLIENT_PORT SERVER SERVER_PORT: what the server itself says counts, whatever is in
    // between.
    std::istringstream words(line);
    std::vector<std::string> ssh;
    while (words >> word) ssh.push_back(word);
    if (ssh.size() == 5) {
      if (const auto client = canonical(ssh[1])) facts.controllers.push_back(*client);
      (void)std::from_chars(ssh[4].data(), ssh[4].data() + ssh[4].size(), facts.ssh_port);
    }
  }
  while (lines >> word) add_global(facts.addresses, word);
  return facts;
}

Arena make_arena(const std::vector<clusters::Remote*>& remotes, std::vector<NodeFacts> facts,
                 clusters::Cluster& cluster) {
  std::map<std::string, int> owners;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    for (const std::string& address : resolve(remotes[i]->node().service_address())) {
      add_global(facts[i].addresses, address);
    }
    for (const std::string& address : facts[i].addresses) ++owners[address];
  }
  Arena arena;
  arena.cluster = &cluster;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    auto& addresses = facts[i].addresses;
    addresses.erase(std::remove_if(addresses.begin(), addresses.end(),
                                   [&](const std::string& address) { return owners[address] > 1; }),
                    addresses.end());
    arena.nodes.push_back(remotes[i]->node().name);
    arena.addresses.push_back(std::move(addresses));
    arena.controllers.push_back(std::move(facts[i].controllers));
    arena.ssh_ports.push_back(facts[i].ssh_port);
    arena.zones.push_back(remotes[i]->node().zone);
  }
  return arena;
}

}  // namespace ordeal::nemesis
