#include "bench/simulation.h"

#include "core/random.h"

namespace ordeal::bench {

namespace {

struct Client {
  bool has_begun = false;
  bool took_effect = false;
  Request request;
  Value seen;
  bool swapped = false;
  std::int64_t revision = 0;
};

// One register a key; each turn, one client begins, takes effect, or completes. An operation whose
// answer is lost took effect, or did not.
class Simulation {
 public:
  Simulation(const Load& load, std::uint64_t seed)
      : load_(load),
        rng_(seed),
        clients_(load.clients),
        registers_(static_cast<std::size_t>(load.keys)),
        old_(registers_.size()) {
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
      if (begun == load_.operations / 4) old_ = registers_;
      stale_ |= load_.has_stale && begun == load_.operations / 2;
    }
    return std::move(builder_).finish();
  }

 private:
  Value new_value() {
    return load_.values == 0 ? Value(++fresh_) : Value(rng_.between(0, load_.values - 1));
  }
  Value& register_of(const Value& key) {
    return registers_[static_cast<std::size_t>(*key.as_integer())];
  }

  void record(std::size_t place, EventType type, Value value) {
    Event event;
    event.index = next_++;
    event.time = Nanoseconds(10'000) * event.index;
    event.process = processes_[place];
    event.type = type;
    event.function = clients_[place].request.function;
    event.key = clients_[place].request.key;
    event.value = std::move(value);
    if (load_.has_revisions && type != EventType::invoke) {
      event.revision = clients_[place].revision;
    }
    const auto added = builder_.add(std::move(event));
    ORDEAL_CHECK(added.has_value(), "the simulation records what no run can");
  }

  void begin(std::size_t place) {
    Client& client = clients_[place] = {};
    client.has_begun = true;
    client.request.key = Value(static_cast<int>(rng_.below(registers_.size())));
    const auto dice = rng_.below(10);
    if (dice >= 8 && load_.has_cas) {
      client.request.function = Function::cas;
      client.request.argument = Value::list({register_of(client.request.key), new_value()});
    } else if (dice >= 5) {
      client.request.function = Function::write;
      client.request.argument = new_value();
    }
    record(place, EventType::invoke, client.request.argument);
  }

  void take_effect(Client& client) {
    client.took_effect = true;
    Value& state = register_of(client.request.key);
    client.seen = state;
    if (client.request.function == Function::write) state = client.request.argument;
    if (client.request.function == Function::cas) {
      const auto& pair = *client.request.argument.as_list();
      client.swapped = state == pair[0];
      if (client.swapped) state = pair[1];
    }
    if (client.request.function == Function::write || client.swapped) ++revision_;
    client.revision = revision_;
  }

  void complete(std::size_t place) {
    Client& client = clients_[place];
    const bool reads = client.request.function == Function::read;
    if (rng_.chance(load_.unknown)) {
      record(place, EventType::info, {});
      processes_[place] += static_cast<Process>(load_.clients);
    } else if (client.request.function == Function::cas) {
      record(place, client.swapped ? EventType::ok : EventType::fail, {});
    } else {
      const bool lies = reads && stale_;
      if (lies) {
        client.seen = old_[static_cast<std::size_t>(*client.request.key.as_integer())];
        stale_ = false;
      }
      record(place, EventType::ok, reads ? client.seen : Value());
    }
    client.has_begun = false;
  }

  const Load& load_;
  Rng rng_;
  HistoryBuilder builder_;
  std::vector<Client> clients_;
  std::vector<Process> processes_;
  std::vector<Value> registers_;
  std::vector<Value> old_;
  bool stale_ = false;
  EventIndex next_ = 0;
  std::int64_t fresh_ = 0;
  std::int64_t revision_ = 1;
};

}  // namespace

History simulate(const Load& load, std::uint64_t seed) { return Simulation(load, seed).run(); }

}  // namespace ordeal::bench
