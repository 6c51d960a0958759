#include "nemesis/node/misplaced.h"

#include <algorithm>
#include <cstring>

namespace ordeal::node {

namespace {

struct Common {
  off_t begin, end;
};
Common common(off_t offset, std::size_t size, off_t other, std::size_t other_size) {
  return {std::max(offset, other),
          std::min(offset + static_cast<off_t>(size), other + static_cast<off_t>(other_size))};
}

}  // namespace

void Misplaced::misplace(ino_t file, off_t offset, const std::string& before, off_t wrong,
                         const std::string& data) {
  patches_.push_back({file, offset, before});
  patches_.push_back({file, wrong, data});
}

void Misplaced::wrote(ino_t file, off_t offset, const char* data, std::size_t size) {
  for (Patch& patch : patches_) {
    const Common both = common(offset, size, patch.offset, patch.bytes.size());
    if (patch.file != file || both.begin >= both.end) continue;
    std::memcpy(patch.bytes.data() + (both.begin - patch.offset), data + (both.begin - offset),
                static_cast<std::size_t>(both.end - both.begin));
  }
}

void Misplaced::resized(ino_t file, off_t size) {
  for (Patch& patch : patches_) {
    if (patch.file != file) continue;
    const off_t left = std::max<off_t>(size - patch.offset, 0);
    if (static_cast<off_t>(patch.bytes.size()) > left)
      patch.bytes.resize(static_cast<std::size_t>(left));
  }
}

void Misplaced::show(ino_t file, off_t offset, char* data, std::size_t size) const {
  for (const Patch& patch : patches_) {
    const Common both = common(offset, size, patch.offset, patch.bytes.size());
    if (patch.file != file || both.begin >= both.end) continue;
    std::memcpy(data + (both.begin - offset), patch.bytes.data() + (both.begin - patch.offset),
                static_cast<std::size_t>(both.end - both.begin));
  }
}

}  // namespace ordeal::node
