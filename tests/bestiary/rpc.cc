#include "tests/bestiary/rpc.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bestiary {
namespace {

constexpr std::size_t most_waiting = std::size_t{8} << 20U;
constexpr Milliseconds redial{150}, dial_hangs{200};
constexpr int no_progress_ms = 600;

[[noreturn]] void die(const std::string& why) {
  std::cerr << why << ": " << std::strerror(errno) << std::endl;
  std::exit(1);
}

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

void tune(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, no_progress_ms);
}

}  // namespace

Loop::~Loop() {
  for (const auto& [id, link] : links_) ::close(link.fd);
  for (const Listener& listener : listeners_) ::close(listener.fd);
}

void Loop::open_listener(std::uint16_t port, Handler handler, std::function<Json()> page) {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("no socket");
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(port);
  any.sin6_addr = in6addr_any;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
      ::listen(fd, 128) != 0)
    die("cannot listen on port " + std::to_string(port));
  listeners_.push_back({fd, std::move(handler), std::move(page)});
}

void Loop::listen(std::uint16_t port, Handler handler) {
  open_listener(port, std::move(handler), {});
}

void Loop::serve_status(std::uint16_t port, std::function<Json()> page) {
  open_listener(port, {}, std::move(page));
}

void Loop::accept_from(const Listener& listener) {
  for (;;) {
    const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    tune(fd);
    Link link;
    link.fd = fd;
    link.is_http = static_cast<bool>(listener.page);
    link.handler = listener.handler;
    if (link.is_http) {
      link.handler = [this, page = listener.page](Connection id, const Json&) {
        Json facts = page();
        facts["time_ms"] = std::chrono::floor<Milliseconds>(wall_.time_since_epoch()).count();
        const std::string body = facts.dump();
        queue(id, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                      std::to_string(body.size()) + "\r\n\r\n" + body);
      };
    }
    links_.emplace(next_++, std::move(link));
  }
}

void Loop::add_peer(int peer, const std::string& address) {
  const std::size_t colon = address.rfind(':');
  peers_[peer] = {address.substr(0, colon), address.substr(colon + 1), 0, {}};
}

void Loop::dial(Peer& peer) {
  peer.retry_at = Clock::now() + redial;
  Address address;
  if (!parse_address(peer.host, peer.port, address)) return;
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    tune(fd);
    const int done = ::connect(fd, address.get(), address.size);
    if (done == 0 || errno == EINPROGRESS) {
      Link link;
      link.fd = fd;
      link.connecting = true;
      link.dialed_at = Clock::now();
      peer.link = next_++;
      links_.emplace(peer.link, std::move(link));
    } else {
      ::close(fd);
    }
  }
}

void Loop::tell(int peer, const Json& message) {
  Peer& to = peers_.at(peer);
  auto link = links_.find(to.link);
  // What was sent into a cut is not sent again for a second: after the cut, a new dial is quicker.
  if (link != links_.end() && link->second.connecting &&
      Clock::now() >= link->second.dialed_at + dial_hangs) {
    close_link(to.link);
    link = links_.end();
  }
  if (link == links_.end() && Clock::now() >= to.retry_at) {
    dial(to);
    link = links_.find(to.link);
  }
  if (link != links_.end()) queue(to.link, message.dump() + "\n");
}

void Loop::answer(Connection to, const Json& message) { queue(to, message.dump() + "\n"); }

void Loop::queue(Connection id, const std::string& bytes) {
  const auto found = links_.find(id);
  if (found == links_.end() || found->second.out.size() > most_waiting) return;
  found->second.out += bytes;
}

void Loop::close_link(Connection id) {
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  ::close(found->second.fd);
  links_.erase(found);
}

void Loop::flush(Connection id) {
  Link& link = links_.at(id);
  while (!link.out.empty()) {
    const ssize_t sent = ::send(link.fd, link.out.data(), link.out.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EINTR) close_link(id);
      return;
    }
    link.out.erase(0, static_cast<std::size_t>(sent));
  }
  if (link.closing) close_link(id);
}

void Loop::handle_http(Connection id, Link& link) {
  if (link.in.find("\r\n\r\n") == std::string::npos) return;
  link.in.clear();
  link.handler(id, Json());
  link.closing = true;
}

void Loop::receive(Connection id) {
  char chunk[65536];
  for (;;) {
    const auto found = links_.find(id);
    if (found == links_.end()) return;
    const ssize_t got = ::recv(found->second.fd, chunk, sizeof chunk, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (got <= 0 || found->second.in.size() > most_waiting) return close_link(id);
    found->second.in.append(chunk, static_cast<std::size_t>(got));
  }
  if (links_.at(id).is_http) return handle_http(id, links_.at(id));
  for (;;) {
    const auto found = links_.find(id);
    if (found == links_.end()) return;
    const std::size_t end = found->second.in.find('\n');
    if (end == std::string::npos) return;
    const std::string line = found->second.in.substr(0, end);
    found->second.in.erase(0, end + 1);
    const Json message = Json::parse(line, nullptr, false);
    if (!message.is_object()) return close_link(id);
    const Handler handler = found->second.handler;
    if (handler) handler(id, message);
  }
}

void Loop::note(const std::string& text) const {
  const auto now = std::chrono::floor<Milliseconds>(wall_.time_since_epoch()).count();
  std::cerr << now / 1000 << '.' << std::to_string(1000 + now % 1000).substr(1) << ' ' << text
            << std::endl;
}

void Loop::after(Milliseconds wait, std::function<void()> action) {
  timers_.emplace(Clock::now() + wait, std::move(action));
}

void Loop::run_timers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const std::function<void()> action = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    action();
  }
}

void Loop::poll_once() {
  std::vector<pollfd> watched;
  std::vector<Connection> ids;
  for (const Listener& listener : listeners_) watched.push_back({listener.fd, POLLIN, 0});
  for (const auto& [id, link] : links_) {
    const bool wants_out = link.connecting || !link.out.empty();
    watched.push_back({link.fd, static_cast<short>(POLLIN | (wants_out ? POLLOUT : 0)), 0});
    ids.push_back(id);
  }
  int wait = 1000;
  if (!timers_.empty()) {
    const auto left =
        std::chrono::ceil<Milliseconds>(timers_.begin()->first - Clock::now()).count();
    wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 1000));
  }
  if (::poll(watched.data(), watched.size(), wait) < 0 && errno != EINTR) die("poll");
  for (std::size_t i = 0; i < listeners_.size(); ++i)
    if (watched[i].revents != 0) accept_from(listeners_[i]);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const short events = watched[listeners_.size() + i].revents;
    const auto link = links_.find(ids[i]);
    if (events == 0 || link == links_.end()) continue;
    if ((events & POLLOUT) != 0) link->second.connecting = false;
    if ((events & (POLLIN | POLLERR | POLLHUP)) != 0) receive(ids[i]);
  }
}

void Loop::run() {
  std::signal(SIGPIPE, SIG_IGN);
  for (;;) {
    poll_once();
    wall_ = std::chrono::system_clock::now();
    run_timers();
    if (turn_) turn_();
    std::vector<Connection> ids;
    for (const auto& [id, link] : links_)
      if (!link.connecting && !link.out.empty()) ids.push_back(id);
    for (const Connection id : ids) flush(id);
  }
}

bool parse_address(const std::string& host, const std::string& port, Address& to) {
  const auto number = htons(static_cast<std::uint16_t>(std::atoi(port.c_str())));
  auto* v4 = reinterpret_cast<sockaddr_in*>(&to.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&to.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = number;
    to.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = number;
    to.size = sizeof *v6;
  }
  return to.size != 0;
}

std::map<std::string, std::string> arguments(int argc, char** argv,
                                             const std::map<std::string, std::string>& defaults) {
  std::map<std::string, std::string> values = defaults;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, 2) == "--" ? word.substr(2, equals - 2) : word;
    if (equals == std::string::npos || values.count(name) == 0) {
      std::cerr << argv[0] << ": " << word << " is not known; there is:";
      for (const auto& [known, value] : values) std::cerr << " --" << known << "=" << value;
      std::cerr << std::endl;
      std::exit(64);
    }
    values[name] = word.substr(equals + 1);
  }
  return values;
}

std::map<int, std::string> members(const std::string& text) {
  std::map<int, std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string one = text.substr(at, end - at);
    const std::size_t equals = one.find('=');
    found[std::atoi(one.c_str())] = one.substr(equals + 1);
    at = end + 1;
  }
  return found;
}

Disk::Disk(std::string folder) : folder_(std::move(folder)) { ::mkdir(folder_.c_str(), 0755); }

std::vector<Json> Disk::lines(const std::string& file) const {
  std::vector<Json> read;
  std::ifstream in(folder_ + "/" + file);
  for (std::string line; std::getline(in, line);) {
    Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) break;  // a torn last line
    read.push_back(std::move(json));
  }
  return read;
}

int Disk::open_for_append(const std::string& file) {
  const auto known = open_.find(file);
  if (known != open_.end()) return known->second;
  const int fd =
      ::open((folder_ + "/" + file).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) die("cannot open " + file);
  return open_[file] = fd;
}

void Disk::append(const std::string& file, const std::string& lines, bool sync) {
  const int fd = open_for_append(file);
  for (std::size_t done = 0; done < lines.size();) {
    const ssize_t wrote = ::write(fd, lines.data() + done, lines.size() - done);
    if (wrote < 0) die("cannot write " + file);
    done += static_cast<std::size_t>(wrote);
  }
  if (sync && ::fdatasync(fd) != 0) die("cannot sync " + file);
}

Json Disk::document(const std::string& file) const {
  std::ifstream in(folder_ + "/" + file);
  if (!in) return {};
  return Json::parse(in, nullptr, false);
}

void Disk::replace(const std::string& file, const std::string& content) {
  const std::string fresh = file + ".new";
  ::unlink((folder_ + "/" + fresh).c_str());
  append(fresh, content);
  ::close(open_.at(fresh));
  open_.erase(fresh);
  if (open_.count(file) != 0) {
    ::close(open_.at(file));
    open_.erase(file);
  }
  if (::rename((folder_ + "/" + fresh).c_str(), (folder_ + "/" + file).c_str()) != 0)
    die("cannot replace " + file);
}

Bugs::Bugs(std::string chosen, std::vector<std::string> known, const std::vector<std::string>& more)
    : chosen_(std::move(chosen)), known_(std::move(known)) {
  known_.insert(known_.end(), more.begin(), more.end());
  known_.emplace_back("none");
  if (std::find(known_.begin(), known_.end(), chosen_) != known_.end()) return;
  std::cerr << "--bug=" << chosen_ << " is not known; there is:";
  for (const std::string& name : known_) std::cerr << " " << name;
  std::cerr << std::endl;
  std::exit(64);
}

bool Bugs::has(const std::string& name) const {
  if (std::find(known_.begin(), known_.end(), name) == known_.end())
    die("no bug is called " + name);
  return chosen_ == name;
}

}  // namespace bestiary
