// How long judging takes, in ns an operation: histories of a truthful register under concurrent
// clients, drawn from a seed. Usage: checkers_bench [threads]

#include <cstdlib>

#include <fmt/format.h>

#include "checkers/linearizability.h"
#include "core/random.h"

namespace {

using namespace ordeal;

struct Load {
  const char* name;
  std::size_t operations;
  int keys;
  std::size_t clients;
  int values;  // 0: each written once
  double unknown;
};

struct Client {
  bool has_begun = false;
  bool took_effect = false;
  Request request;
  Value seen;
  bool swapped = false;
};

// One register a key; each turn, one client begins, takes effect, or completes.
class Simulation {
 public:
  Simulation(const Load& load, std::uint64_t seed)
      : load_(load),
        rng_(seed),
        clients_(load.clients),
        registers_(static_cast<std::size_t>(load.keys)) {
    for (std::size_t i = 0; i < load.clients; ++i) processes_.push_back(static_cast<Process>(i));
  }

  History run() {
    for (std::size_t begun = 0; begun < load_.operations;) {
      const std::size_t place = rng_.below(clients_.size());
      Client& client = clients_[place];
      if (!client.has_begun) {
        begin(place);
        ++begun;
      } else if (!client.took_effect) {
        take_effect(client);
      } else {
        complete(place);
      }
    }
    return std::move(builder_).finish();
  }

 private:
  Value new_value() {
    return load_.values == 0 ? Value(++fresh_) : Value(rng_.between(1, load_.values));
  }
  Value& register_of(const Value& key) {
    return registers_[static_cast<std::size_t>(*key.as_integer())];
  }

  void record(std::size_t place, EventType type, Value value) {
    Event event;
    event.index = next_++;
    event.process = processes_[place];
    event.type = type;
    event.function = clients_[place].request.function;
    event.key = clients_[place].request.key;
    event.value = std::move(value);
    const auto added = builder_.add(std::move(event));
    ORDEAL_CHECK(added.has_value(), "the simulation records what no run can");
  }

  void begin(std::size_t place) {
    Client& client = clients_[place] = {};
    client.has_begun = true;
    client.request.key = Value(static_cast<int>(rng_.below(registers_.size())));
    const auto dice = rng_.below(10);
    if (dice >= 8) {
      client.request.function = Function::cas;
      client.request.argument = Value::list({register_of(client.request.key), new_value()});
    } else if (dice >= 5) {
      client.request.function = Function::write;
      client.request.argument = new_value();
    }
    record(place, EventType::invoke, client.request.argument);
  }

  void take_effect(Client& client) {
    Value& state = register_of(client.request.key);
    client.took_effect = true;
    client.seen = state;
    if (client.request.function == Function::write) state = client.request.argument;
    if (client.request.function != Function::cas) return;
    const auto& pair = *client.request.argument.as_list();
    client.swapped = state == pair[0];
    if (client.swapped) state = pair[1];
  }

  void complete(std::size_t place) {
    Client& client = clients_[place];
    if (rng_.chance(load_.unknown)) {
      record(place, EventType::info, {});
      processes_[place] += static_cast<Process>(load_.clients);
    } else if (client.request.function == Function::cas) {
      record(place, client.swapped ? EventType::ok : EventType::fail, {});
    } else {
      record(place, EventType::ok,
             client.request.function == Function::read ? client.seen : Value());
    }
    client.has_begun = false;
  }

  const Load& load_;
  Rng rng_;
  HistoryBuilder builder_;
  std::vector<Client> clients_;
  std::vector<Process> processes_;
  std::vector<Value> registers_;
  EventIndex next_ = 0;
  std::int64_t fresh_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  constexpr Load loads[] = {
      {"one key, new values", 30'000, 1, 10, 0, 0},
      {"one key, new values, 2 % unknown", 30'000, 1, 10, 0, 0.02},
      {"one key, new values, 30 clients", 1'000'000, 1, 30, 0, 0.01},
      {"1000 keys, new values", 1'000'000, 1000, 10, 0, 0.001},
      {"one key, 5 values", 10'000, 1, 5, 5, 0},
      {"one key, 5 values, 1 % unknown", 10'000, 1, 5, 5, 0.01},
      {"one key, 5 values, 10 clients", 10'000, 1, 10, 5, 0},
  };
  for (const Load& load : loads) {
    const History history = Simulation(load, 1).run();
    checkers::CheckOptions options;
    if (argc > 1) options.threads = static_cast<std::size_t>(std::max(1, std::atoi(argv[1])));
    const CheckReport report = checkers::check_linearizable_register(history, options);
    fmt::print("{:34} {:9} operations  {:7}  {:>9}  {:6} ns/op\n", load.name, load.operations,
               to_text(report.answer), to_text(report.took),
               report.took.count() / static_cast<std::int64_t>(load.operations));
  }
}
