// A disk that puts writes in wrong places, against one that is only an array of bytes.

#include "nemesis/node/misplaced.h"

#include <catch2/catch.hpp>

#include "core/random.h"
#include "nemesis/node/misplaced.cc"  // part of the program for nodes, not of the library

using namespace ordeal;
using ordeal::node::Misplaced;

TEST_CASE("what is shown is what a disk with misdirected writes would hold") {
  constexpr std::size_t size = 60;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    std::string folder(size, '.'), disk(size, '.');  // what is below, and what the disk holds
    Misplaced misplaced;
    for (int step = 0; step < 30; ++step) {
      const std::size_t offset = rng.below(size), length = 1 + rng.below(size - offset);
      const std::string data(length, static_cast<char>('a' + step % 26));
      const std::size_t wrong = rng.below(size - length + 1);
      if (wrong != offset && rng.chance(0.4)) {
        misplaced.misplace(1, static_cast<off_t>(offset), disk.substr(offset, length),
                           static_cast<off_t>(wrong), data);
        disk.replace(wrong, length, data);
      } else {
        misplaced.wrote(1, static_cast<off_t>(offset), data.data(), length);
        disk.replace(offset, length, data);
      }
      folder.replace(offset, length, data);
      const std::size_t from = rng.below(size), some = rng.below(size - from + 1);
      std::string shown = folder.substr(from, some);
      misplaced.show(1, static_cast<off_t>(from), shown.data(), some);
      CHECK(shown == disk.substr(from, some));
      std::string other = folder;
      misplaced.show(2, 0, other.data(), size);
      CHECK(other == folder);
    }
    misplaced.resized(1, 0);
    std::string shown = folder;
    misplaced.show(1, 0, shown.data(), size);
    CHECK(shown == folder);
  }
}
