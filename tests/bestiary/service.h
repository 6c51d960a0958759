#pragma once
// What the programs on Raft share: clients may speak to any node; it asks the leader on their
// behalf, and asks again when the leader changes or is silent. A session's requests are numbered,
// so that a machine can tell a request that comes twice.
//
//   request  {"id":1,"s":SESSION,"q":NUMBER,"f":FUNCTION,"k":KEY,"v":VALUE,"timeout_ms":900}
//   answer   {"id":1,"ok":true,"value":...} or {"id":1,"fail":CODE}

#include "tests/bestiary/raft.h"

namespace bestiary {

[[nodiscard]] inline Json ok(const Json& value = nullptr) {
  return {{"ok", true}, {"value", value}};
}
[[nodiscard]] inline Json fail(const char* code) { return {{"fail", code}}; }

using Done = std::function<void(const Json& answer)>;

// Answers of the last request of each session: what makes asking again safe. Part of a machine.
class Sessions {
 public:
  // The answer that was given before, null when it was another's; nullopt when it is new.
  [[nodiscard]] const Json* known(const Json& command) const;
  void remember(Index index, const Json& command, const Json& answer);
  [[nodiscard]] Json save() const;
  void load(const Json& state);

 private:
  struct Session {
    std::uint64_t number;
    Index at;
    Json answer;
  };
  std::map<std::string, Session> sessions_;
};

using Values = std::map<std::string, std::string>;

// The arguments that every program has: id, peers, data, ports, bug, reads, snapshot, and the pace
// of its leaders.
[[nodiscard]] Values parse(int argc, char** argv, const Values& more);

// The command under which a request is replicated.
[[nodiscard]] Json command_of(const Json& request);

// What clients have asked this node for and is not answered yet. It is asked of the leader, and
// again when the leader changes or is silent.
class Desk {
 public:
  struct Ways {
    std::function<int(const Json& request)> leader;          // who leads it; 0: nobody known
    std::function<void(const Json& request, Done)> serve;    // as its leader; perhaps never done
    std::function<void(const Json& message)> other_message;  // of peers, to each other
    std::function<Json()> status;
  };

  Desk(Loop& loop, const Values& values, Ways ways);

 private:
  struct Pending {
    Connection client = 0;
    Json request;
    Clock::time_point give_up{}, ask_again{};
    int asked = 0;  // the leader that it was sent to
  };

  void on_client(Connection from, const Json& request);
  void on_peer(const Json& message);
  void on_answer(std::uint64_t ticket, const Json& answer);
  void ask(std::uint64_t ticket);
  void tick();

  Loop& loop_;
  const int id_;
  const Ways ways_;
  // From a random number on: answers to what it asked before a restart are not ours.
  std::uint64_t tickets_ = std::random_device{}();
  std::map<std::uint64_t, Pending> pending_;
};

class Service {
 public:
  Service(const Values& values, const Bugs& bugs, Machine& machine);
  virtual ~Service() = default;
  [[noreturn]] void run() { loop_.run(); }

 protected:
  // As the leader.
  virtual void serve(const Json& request, Done done) = 0;
  virtual void elected() {}
  virtual void lead() {}  // every 50 ms while leader

  Loop loop_;
  Raft raft_;

 private:
  [[nodiscard]] Desk::Ways ways();
  void tick();

  Desk desk_;
};

}  // namespace bestiary
