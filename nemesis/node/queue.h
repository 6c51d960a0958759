#pragma once
// A queue of packets that the kernel hands over for a verdict (NFQUEUE), over its netlink socket.
// When the process that holds it is gone, rules with --queue-bypass let packets pass.

#include <cstdint>
#include <functional>
#include <string>

namespace ordeal::node {

struct QueuedPacket {
  std::uint32_t id = 0;
  std::uint32_t length = 0;  // on the wire; `data` may be less
  const unsigned char* data = nullptr;
  std::size_t size = 0;
};

class PacketQueue {
 public:
  PacketQueue() = default;
  PacketQueue(const PacketQueue&) = delete;
  PacketQueue& operator=(const PacketQueue&) = delete;
  ~PacketQueue();

  // False with a sentence. Whole packets only where they are to be changed or sent again: packets
  // that are not copied may be as large as the kernel's segments.
  [[nodiscard]] bool open(std::uint16_t number, bool whole_packets, std::string& trouble);
  [[nodiscard]] int fd() const { return fd_; }
  // Reads what is there.
  void receive(const std::function<void(const QueuedPacket&)>& take) const;
  void accept(std::uint32_t id) const;
  void accept_changed(std::uint32_t id, const std::string& data) const;
  void drop(std::uint32_t id) const;

 private:
  void decide(std::uint32_t id, std::uint32_t verdict, const std::string* data) const;
  int fd_ = -1;
  std::uint16_t number_ = 0;
};

}  // namespace ordeal::node
