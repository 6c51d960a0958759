#include "clusters/etcd/program.h"

#include <vector>

#include <fmt/core.h>

#include "core/file.h"
#include "core/json.h"

namespace ordeal::clusters::etcd {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// Fowler, Noll and Vo (1a): names the content, so that it is uploaded once; no defence against
// forgery.
std::uint64_t fingerprint(std::string_view content) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

Result<std::string> upload_once(Remote& remote, const std::filesystem::path& binary) {
  const auto content = read_file(binary);
  if (!content) return pass_on(content.error(), "reading the etcd binary to upload");
  const std::string path = fmt::format("{}-{:016x}", program_path, fingerprint(*content));
  const auto there = remote.run({"test -x " + path, {}, 10s});
  if (!there) return pass_on(there.error());
  if (there->ok()) return path;
  if (auto sent = remote.upload(*content, path, 0755, 120s); !sent)
    return pass_on(sent.error(), fmt::format("uploading {}", binary.string()));
  return path;
}

Result<std::string> find_on_node(Remote& remote) {
  const auto found = remote.run(
      {"PATH=$PATH:/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin command -v etcd", {}, 10s});
  if (!found) return pass_on(found.error());
  const auto lines = split(found->out, '\n');
  if (!found->ok() || lines.empty() || lines.front().front() != '/')
    return error(
        "{}: there is no etcd on this node: install one there (apt-get install etcd-server), "
        "or have one uploaded with --etcd-binary FILE",
        remote.node().name);
  return std::string(lines.front());
}

// "discovery failed: listen tcp 10.0.0.1:2380: bind: ..." of a fatal line of etcd's JSON log.
std::string fatal_reason(std::string_view line) {
  const auto json = parse_json(line);
  if (!json || !json->is_object()) return {};
  const auto text = [&](const char* key) {
    const auto found = json->find(key);
    return found != json->end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (text("level") != "fatal" && text("level") != "panic") return {};
  return text("error").empty() ? text("msg") : text("msg") + ": " + text("error");
}

}  // namespace

Result<void> install_program(Remote& remote, const std::filesystem::path& binary,
                             const std::string& link) {
  const auto path = binary.empty() ? find_on_node(remote) : upload_once(remote, binary);
  if (!path) return pass_on(path.error());
  const auto linked = run_or_error(
      remote,
      {fmt::format("mkdir -p \"$(dirname {0})\" && ln -sfn {1} {0}", link, shell_quote(*path)),
       {},
       10s},
      "linking etcd");
  if (!linked) return pass_on(linked.error());
  const auto version = remote.run({fmt::format("env -i {} --version", link), {}, 20s});
  if (!version) return pass_on(version.error());
  constexpr std::string_view expected = "etcd Version: ";
  if (version->ok() && version->out.compare(0, expected.size(), expected) == 0) return {};
  const std::string& said = version->err.empty() ? version->out : version->err;
  const std::string origin = binary.empty() ? *path : binary.string() + ", uploaded,";
  return error("{}: {} does not run as etcd: its --version ended with status {} and said: {}",
               remote.node().name, origin, version->exit_status, reason_in_log(said));
}

std::string taken_port(std::string_view owners) {
  const auto lines = split(owners, '\n');
  const auto words = split(lines.empty() ? owners : lines.front(), ' ');
  const auto word = [&](std::size_t i) { return i < words.size() ? words[i] : "?"; };
  const bool seen = word(1) != "?";
  const std::string who = seen ? fmt::format("process {} ({})", word(1), word(2))
                               : std::string("a process we cannot see");
  const std::string_view advice = word(2) == "etcd"
                                      ? "stop it (systemctl disable --now etcd) or use another node"
                                      : "stop it or use another node";
  return fmt::format("port {} is taken by {}, which Ordeal did not start: {}", word(0), who,
                     advice);
}

std::string reason_in_log(std::string_view output) {
  constexpr std::size_t longest = 300;
  const auto lines = split(output, '\n');
  if (lines.empty()) return "nothing";
  for (auto line = lines.rbegin(); line != lines.rend(); ++line)
    if (std::string reason = fatal_reason(*line); !reason.empty()) return reason.substr(0, longest);
  // A wrong flag is complained of in the first line, before the usage; a crash begins with its
  // reason too.
  for (const std::string_view line : lines)
    for (const std::string_view word : {"error", "flag", "invalid", "panic", "not found", "denied"})
      if (line.find(word) != std::string_view::npos) return std::string(line.substr(0, longest));
  return std::string(lines.back().substr(0, longest));
}

}  // namespace ordeal::clusters::etcd
