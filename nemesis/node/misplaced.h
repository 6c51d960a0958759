#pragma once
// What a disk shows that put some writes in a wrong place of the same file: where they belong, what
// was there before; and what they wrote where it does not belong. All writes reach the folder below
// in their right places, and this is laid over what is read, so that nothing is left to repair.
// Not thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace ordeal::node {

class Misplaced {
 public:
  // A write of `data` that shall go to `wrong` instead of `offset`, where there is `before` now.
  void misplace(ino_t file, off_t offset, const std::string& before, off_t wrong,
                const std::string& data);
  // A write in its right place; it covers what was shown there.
  void wrote(ino_t file, off_t offset, const char* data, std::size_t size);
  void resized(ino_t file, off_t size);
  // Changes what was read to what such a disk would give.
  void show(ino_t file, off_t offset, char* data, std::size_t size) const;
  [[nodiscard]] bool is_full() const { return patches_.size() >= most; }

 private:
  static constexpr std::size_t most = 4096;
  struct Patch {
    ino_t file;
    off_t offset;
    std::string bytes;
  };
  std::vector<Patch> patches_;  // a later one covers an earlier one
};

}  // namespace ordeal::node
