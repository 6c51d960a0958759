#include "tests/bestiary/service.h"

#include <algorithm>

namespace bestiary {
namespace {

constexpr std::size_t most_sessions = 500;

RaftOptions raft_options(const std::map<std::string, std::string>& values) {
  RaftOptions options;
  options.id = std::stoi(values.at("id"));
  options.members = members(values.at("peers"));
  options.folder = values.at("data");
  options.lease_reads = values.at("reads") == "lease";
  options.snapshot_every = std::stoull(values.at("snapshot"));
  return options;
}

}  // namespace

const Json* Sessions::known(const Json& command) const {
  static const Json nothing;
  const auto found = sessions_.find(command.at("s").get_ref<const std::string&>());
  if (found == sessions_.end() || command.at("q") > found->second.number) return nullptr;
  return command.at("q") == found->second.number ? &found->second.answer : &nothing;
}

void Sessions::remember(Index index, const Json& command, const Json& answer) {
  sessions_[command.at("s")] = {command.at("q"), index, answer};
  if (sessions_.size() <= most_sessions) return;
  const auto oldest =
      std::min_element(sessions_.begin(), sessions_.end(),
                       [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
  sessions_.erase(oldest);
}

Json Sessions::save() const {
  Json state = Json::object();
  for (const auto& [name, session] : sessions_)
    state[name] = {session.number, session.at, session.answer};
  return state;
}

void Sessions::load(const Json& state) {
  sessions_.clear();
  for (const auto& [name, session] : state.items())
    sessions_[name] = {session.at(0), session.at(1), session.at(2)};
}

std::map<std::string, std::string> Service::parse(int argc, char** argv,
                                                  const std::map<std::string, std::string>& more) {
  std::map<std::string, std::string> known = {
      {"id", "1"},           {"peers", "1=127.0.0.1:7001"}, {"data", "data"}, {"port", "7000"},
      {"peer_port", "7001"}, {"status_port", "7002"},       {"bug", "none"},  {"reads", "index"},
      {"snapshot", "500"}};
  known.insert(more.begin(), more.end());
  return arguments(argc, argv, known);
}

Service::Service(const std::map<std::string, std::string>& values, const Bugs& bugs,
                 Machine& machine)
    : raft_(loop_, raft_options(values), bugs, machine), id_(std::stoi(values.at("id"))) {
  const auto port = [&](const char* name) {
    return static_cast<std::uint16_t>(std::stoi(values.at(name)));
  };
  loop_.listen(port("port"), [this](Connection from, const Json& m) { on_client(from, m); });
  loop_.listen(port("peer_port"), [this](Connection, const Json& m) { on_peer(m); });
  loop_.serve_status(port("status_port"), [this] {
    return Json{{"leader", raft_.leader()},
                {"term", raft_.term()},
                {"commit", raft_.commit()},
                {"version", "1"}};
  });
  loop_.each_turn([this] { raft_.turn(); });
  raft_.elected = [this] { elected(); };
  loop_.after(Milliseconds(50), [this] { tick(); });
}

Json Service::command_of(const Json& request) {
  return {{"s", request.at("s")},
          {"q", request.at("q")},
          {"f", request.at("f")},
          {"k", request.at("k")},
          {"v", request.at("v")}};
}

void Service::on_client(Connection from, const Json& request) {
  Pending pending;
  pending.client = from;
  pending.request = request;
  pending.give_up = Clock::now() + Milliseconds(request.value("timeout_ms", 1000));
  const std::uint64_t ticket = ++tickets_;
  pending_[ticket] = std::move(pending);
  ask(ticket);
}

// The leader, if one is known; tick() asks again.
void Service::ask(std::uint64_t ticket) {
  Pending& pending = pending_.at(ticket);
  pending.asked = raft_.leader();
  pending.ask_again = Clock::now() + Milliseconds(300);
  if (pending.asked == 0) return;
  if (pending.asked != id_) {
    loop_.tell(pending.asked, {{"t", "ask"}, {"from", id_}, {"n", ticket}, {"r", pending.request}});
    return;
  }
  if (!raft_.leads()) return;
  const Json request = pending.request;
  serve(request, [this, ticket](const Json& answer) { on_answer(ticket, answer); });
}

void Service::on_answer(std::uint64_t ticket, const Json& answer) {
  const auto found = pending_.find(ticket);
  if (found == pending_.end() || !answer.is_object()) return;
  Json reply = answer;
  reply["id"] = found->second.request.at("id");
  loop_.answer(found->second.client, reply);
  pending_.erase(found);
}

void Service::on_peer(const Json& message) {
  const std::string type = message.at("t");
  if (type == "answer") return on_answer(message.at("n"), message.at("a"));
  if (type != "ask") return raft_.on_message(message);
  if (!raft_.leads()) return;
  const int from = message.at("from");
  const Json ticket = message.at("n");
  serve(message.at("r"), [this, from, ticket](const Json& answer) {
    loop_.tell(from, {{"t", "answer"}, {"n", ticket}, {"a", answer}});
  });
}

void Service::tick() {
  loop_.after(Milliseconds(50), [this] { tick(); });
  const auto now = Clock::now();
  std::vector<std::uint64_t> again;
  for (auto next = pending_.begin(); next != pending_.end();) {
    const auto at = next++;
    if (now >= at->second.give_up) {
      pending_.erase(at);
    } else if (now >= at->second.ask_again || raft_.leader() != at->second.asked) {
      again.push_back(at->first);
    }
  }
  for (const std::uint64_t ticket : again)
    if (pending_.count(ticket) != 0) ask(ticket);
  if (raft_.leads()) lead();
}

}  // namespace bestiary
