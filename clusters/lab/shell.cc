#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "clusters/lab/lab.h"
#include "clusters/lab/process.h"

namespace ordeal::clusters {
namespace {

// Single quotes, for the node's shell: SSH joins the words of a command with blanks.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::vector<std::string> ssh_command(const Node& node, const std::vector<std::string>& command) {
  std::vector<std::string> words = {"ssh", "-F", "/dev/null", "-i", node.identity.string()};
  for (const std::string& option :
       {std::string("IdentitiesOnly=yes"), std::string("StrictHostKeyChecking=yes"),
        "UserKnownHostsFile=" + node.known_hosts.string(),
        std::string("GlobalKnownHostsFile=/dev/null"), std::string("LogLevel=ERROR")})
    words.insert(words.end(), {"-o", option});
  words.insert(words.end(), {node.user + "@" + node.host});
  for (const auto& word : command) words.push_back(quoted(word));
  return words;
}

}  // namespace

Error lab_shell(const std::string& name, const std::string& node,
                const std::vector<std::string>& command) {
  const auto inventory = lab_inventory(name);
  if (!inventory) return inventory.error();
  const auto found = std::ranges::find(inventory->nodes, node, &Node::name);
  if (found == inventory->nodes.end())
    return {fmt::format("lab {} has no node \"{}\", only n1 to n{}", name, node,
                        inventory->nodes.size())};
  const auto& path = inventory->network_namespace;
  const lab::File network(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!network || setns(network.fd(), CLONE_NEWNET) != 0)
    return {fmt::format("entering the network of lab {} ({}): {}", name, path.string(),
                        std::strerror(errno))};
  const auto words = ssh_command(*found, command);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp("ssh", arguments.data());
  return {fmt::format("running ssh: {}; install the package openssh-client", std::strerror(errno))};
}

}  // namespace ordeal::clusters
