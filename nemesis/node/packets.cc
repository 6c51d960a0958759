// What a bad network does to packets that arrive: delay, jitter (and so reordering), loss,
// duplicates, corruption, a slow line, and the clog that holds all and lets them go at once. On the
// receiver's side, as a sender's TCP would slow down for packets that it still holds.

#include <cmath>
#include <cstdio>
#include <queue>
#include <vector>

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "nemesis/node/keeper.h"
#include "nemesis/node/queue.h"
#include "nemesis/node/tasks.h"

namespace ordeal::node {

namespace {

constexpr std::int64_t per_ms = 1'000'000;
constexpr int look_ms = 20;
constexpr std::size_t header_size = 48;  // what is never corrupted: the way home

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

struct Held {
  std::int64_t due = 0;
  std::uint64_t order = 0;  // of those that are due at once
  std::uint32_t id = 0;
  bool operator<(const Held& other) const {
    return due != other.due ? due > other.due : order > other.order;
  }
};

class Network {
 public:
  explicit Network(const Arguments& a)
      : number_(static_cast<std::uint16_t>(a.integer("queue"))),
        delay_(a.integer("delay-ms") * per_ms),
        jitter_(a.integer("jitter-ms") * per_ms),
        loss_(a.integer("loss-percent")),
        duplicate_(a.integer("duplicate-percent")),
        reorder_(a.integer("reorder-percent")),
        corrupt_(a.integer("corrupt-percent")),
        bytes_per_ms_(a.integer("rate-kbit") / 8),
        clogged_(a.integer("clog") != 0),
        state_(static_cast<std::uint64_t>(a.integer("seed"))) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network() {
    for (const int raw : {raw_, raw6_}) {
      if (raw >= 0) ::close(raw);
    }
  }

  bool open(std::string& trouble) {
    const bool whole = duplicate_ > 0 || corrupt_ > 0;
    if (!queue_.open(number_, whole, trouble)) return false;
    if (duplicate_ == 0) return true;
    raw_ = raw_socket(AF_INET);
    raw6_ = raw_socket(AF_INET6);  // a node without IPv6 has none, and no such packets
    if (raw_ >= 0) return true;
    trouble = "packets cannot be sent twice without raw sockets and marks";
    return false;
  }

  void keep(Keeper& keeper) {
    std::int64_t told = now_ns();
    while (!keeper.is_to_end()) {
      wait();
      queue_.receive([&](const QueuedPacket& packet) { take(packet); });
      release(now_ns());
      if (now_ns() - told < 300 * per_ms || seen_ == 0) continue;
      told = now_ns();
      keeper.tell(words());
    }
    // What is held goes on its way, in order.
    queue_.receive([&](const QueuedPacket& packet) { queue_.accept(packet.id); });
    release(INT64_MAX);
  }

 private:
  // To which the whole packet is given, headers included; -1 when there is none.
  static int raw_socket(int family) {
    const int raw = ::socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    const std::uint32_t mark = sent_again_mark;
    if (raw < 0 || ::setsockopt(raw, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0) return raw;
    ::close(raw);
    return -1;
  }

  void wait() const {
    timespec patience{0, look_ms * per_ms};
    if (!held_.empty() && !clogged_) {
      const std::int64_t left = held_.top().due - now_ns();
      if (left < look_ms * per_ms) patience.tv_nsec = left > 0 ? left : 0;
    }
    pollfd readable{queue_.fd(), POLLIN, 0};
    ::ppoll(&readable, 1, &patience, nullptr);
  }

  void release(std::int64_t until) {
    if (clogged_ && until != INT64_MAX) return;
    for (; !held_.empty() && held_.top().due <= until; held_.pop()) queue_.accept(held_.top().id);
  }

  void take(const QueuedPacket& packet) {
    ++seen_;
    if (happens(loss_)) {
      ++lost_;
      return queue_.drop(packet.id);
    }
    if (happens(duplicate_)) send_again(packet);
    if (happens(corrupt_) && packet.size > header_size) {
      std::string data(reinterpret_cast<const char*>(packet.data), packet.size);
      const std::uint64_t draw = next();
      char& harmed = data[header_size + draw % (data.size() - header_size)];
      harmed = static_cast<char>(harmed ^ (1 << (draw >> 32U) % 8));
      ++corrupted_;
      return queue_.accept_changed(packet.id, data);
    }
    const std::int64_t now = now_ns();
    std::int64_t due = now + delay_;
    if (jitter_ > 0) due += jitter();
    if (bytes_per_ms_ > 0) {
      line_free_ = std::max(line_free_, now) + packet.length * per_ms / bytes_per_ms_;
      due += line_free_ - now;
    }
    if (happens(reorder_)) due = now;  // overtakes those that wait
    if (due <= now && !clogged_) return queue_.accept(packet.id);
    ++delayed_;
    held_.push({due, ++order_, packet.id});
  }

  void send_again(const QueuedPacket& packet) {
    const int version = packet.size == 0 ? 0 : packet.data[0] >> 4U;
    ssize_t sent = -1;
    if (version == 4 && packet.size >= sizeof(iphdr)) {
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_addr.s_addr = reinterpret_cast<const iphdr*>(packet.data)->daddr;
      sent = ::sendto(raw_, packet.data, packet.size, 0, reinterpret_cast<const sockaddr*>(&to),
                      sizeof to);
    } else if (version == 6 && packet.size >= sizeof(ip6_hdr) && raw6_ >= 0) {
      sockaddr_in6 to{};
      to.sin6_family = AF_INET6;
      to.sin6_addr = reinterpret_cast<const ip6_hdr*>(packet.data)->ip6_dst;
      sent = ::sendto(raw6_, packet.data, packet.size, 0, reinterpret_cast<const sockaddr*>(&to),
                      sizeof to);
    }
    if (sent >= 0) ++duplicated_;
  }

  std::string words() const {
    std::string text = std::to_string(seen_) + " packets seen";
    const auto add = [&](std::uint64_t count, const char* what) {
      if (count > 0) text += ", " + std::to_string(count) + " " + what;
    };
    add(delayed_, clogged_ ? "held" : "delayed");
    add(lost_, "dropped");
    add(duplicated_, "sent twice");
    add(corrupted_, "corrupted");
    return text;
  }

  std::uint64_t next() {  // splitmix64 (Steele, Lea and Flood 2014)
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  bool happens(long long percent) {
    return percent > 0 && next() % 100 < static_cast<std::uint64_t>(percent);
  }
  // Of a normal distribution with that deviation (Box and Muller 1958).
  std::int64_t jitter() {
    const double u = (static_cast<double>(next() >> 11U) + 0.5) / 9007199254740992.0;
    const double v = static_cast<double>(next() >> 11U) / 9007199254740992.0;
    return static_cast<std::int64_t>(static_cast<double>(jitter_) * std::sqrt(-2 * std::log(u)) *
                                     std::cos(6.283185307179586 * v));
  }

  PacketQueue queue_;
  std::uint16_t number_;
  std::int64_t delay_, jitter_;
  long long loss_, duplicate_, reorder_, corrupt_, bytes_per_ms_;
  bool clogged_;
  std::uint64_t state_;
  int raw_ = -1, raw6_ = -1;
  std::priority_queue<Held> held_;
  std::int64_t line_free_ = 0;
  std::uint64_t order_ = 0, seen_ = 0, delayed_ = 0, lost_ = 0, duplicated_ = 0, corrupted_ = 0;
};

}  // namespace

int run_packets(const Arguments& arguments) {
  Network network(arguments);
  return start_keeper(
      arguments, [&](std::string& trouble) { return network.open(trouble); },
      [&](Keeper& keeper) { network.keep(keeper); });
}

int check_packets(const Arguments&) {
  PacketQueue queue;
  std::string trouble;
  if (queue.open(check_queue, false, trouble)) return 0;
  std::fprintf(stderr, "%s\n", trouble.c_str());
  return 1;
}

}  // namespace ordeal::node
