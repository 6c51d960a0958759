#include "tests/bestiary/service.h"

#include <algorithm>

namespace bestiary {
namespace {

constexpr std::size_t most_sessions = 500;

RaftOptions raft_options(const Values& values) {
  RaftOptions options;
  options.id = std::stoi(values.at("id"));
  options.members = members(values.at("peers"));
  options.folder = values.at("data");
  options.lease_reads = values.at("reads") == "lease";
  options.snapshot_every = std::stoull(values.at("snapshot"));
  options.at_once = values.at("replicate") == "at-once";
  options.heartbeat = Milliseconds(std::stoi(values.at("heartbeat")));
  options.election = Milliseconds(std::stoi(values.at("election")));
  options.stagger = Milliseconds(std::stoi(values.at("stagger")));
  options.jitter = Milliseconds(std::stoi(values.at("jitter")));
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

Values parse(int argc, char** argv, const Values& more) {
  Values known = {
      {"id", "1"},           {"peers", "1=127.0.0.1:7001"}, {"data", "data"},    {"port", "7000"},
      {"peer_port", "7001"}, {"status_port", "7002"},       {"bug", "none"},     {"reads", "index"},
      {"snapshot", "500"},   {"heartbeat", "80"},           {"election", "500"}, {"stagger", "0"},
      {"jitter", "400"},     {"replicate", "at-once"}};
  known.insert(more.begin(), more.end());
  return arguments(argc, argv, known);
}

Json command_of(const Json& request) {
  return {{"s", request.at("s")},
          {"q", request.at("q")},
          {"f", request.at("f")},
          {"k", request.at("k")},
          {"v", request.at("v")}};
}

// --- the desk -------------------------------------------------------------------------------

Desk::Desk(Loop& loop, const Values& values, Ways ways)
    : loop_(loop), id_(std::stoi(values.at("id"))), ways_(std::move(ways)) {
  const auto port = [&](const char* name) {
    return static_cast<std::uint16_t>(std::stoi(values.at(name)));
  };
  loop_.listen(port("port"), [this](Connection from, const Json& m) { on_client(from, m); });
  loop_.listen(port("peer_port"), [this](Connection, const Json& m) { on_peer(m); });
  loop_.serve_status(port("status_port"), ways_.status);
  tick();
}

void Desk::on_client(Connection from, const Json& request) {
  Pending pending;
  pending.client = from;
  pending.request = request;
  pending.give_up = Clock::now() + Milliseconds(request.value("timeout_ms", 1000));
  const std::uint64_t ticket = ++tickets_;
  pending_[ticket] = std::move(pending);
  ask(ticket);
}

// The leader, if one is known; tick() asks again.
void Desk::ask(std::uint64_t ticket) {
  Pending& pending = pending_.at(ticket);
  pending.asked = ways_.leader(pending.request);
  pending.ask_again = Clock::now() + Milliseconds(300);
  if (pending.asked == 0) return;
  if (pending.asked != id_) {
    loop_.tell(pending.asked, {{"t", "ask"}, {"from", id_}, {"n", ticket}, {"r", pending.request}});
    return;
  }
  const Json request = pending.request;
  ways_.serve(request, [this, ticket](const Json& answer) { on_answer(ticket, answer); });
}

void Desk::on_answer(std::uint64_t ticket, const Json& answer) {
  const auto found = pending_.find(ticket);
  if (found == pending_.end() || !answer.is_object()) return;
  Json reply = answer;
  reply["id"] = found->second.request.at("id");
  loop_.answer(found->second.client, reply);
  pending_.erase(found);
}

void Desk::on_peer(const Json& message) {
  const std::string type = message.at("t");
  if (type == "answer") return on_answer(message.at("n"), message.at("a"));
  if (type != "ask") return ways_.other_message(message);
  const int from = message.at("from");
  const Json ticket = message.at("n");
  ways_.serve(message.at("r"), [this, from, ticket](const Json& answer) {
    loop_.tell(from, {{"t", "answer"}, {"n", ticket}, {"a", answer}});
  });
}

void Desk::tick() {
  loop_.after(Milliseconds(50), [this] { tick(); });
  const auto now = Clock::now();
  std::vector<std::uint64_t> again;
  for (auto next = pending_.begin(); next != pending_.end();) {
    const auto at = next++;
    if (now >= at->second.give_up) {
      pending_.erase(at);
    } else if (now >= at->second.ask_again ||
               ways_.leader(at->second.request) != at->second.asked) {
      again.push_back(at->first);
    }
  }
  for (const std::uint64_t ticket : again)
    if (pending_.count(ticket) != 0) ask(ticket);
}

// --- the programs on Raft -------------------------------------------------------------------

Service::Service(const Values& values, const Bugs& bugs, Machine& machine)
    : raft_(loop_, raft_options(values), bugs, machine), desk_(loop_, values, ways()) {
  loop_.each_turn([this] { raft_.turn(); });
  raft_.elected = [this] { elected(); };
  loop_.after(Milliseconds(50), [this] { tick(); });
}

Desk::Ways Service::ways() {
  Desk::Ways ways;
  ways.leader = [this](const Json&) { return raft_.leader(); };
  ways.serve = [this](const Json& request, Done done) {
    if (raft_.leads()) serve(request, std::move(done));
  };
  ways.other_message = [this](const Json& message) { raft_.on_message(message); };
  ways.status = [this] {
    return Json{{"leader", raft_.leader()},
                {"term", raft_.term()},
                {"commit", raft_.commit()},
                {"version", "1"}};
  };
  return ways;
}

void Service::tick() {
  loop_.after(Milliseconds(50), [this] { tick(); });
  if (raft_.leads()) lead();
}

}  // namespace bestiary
