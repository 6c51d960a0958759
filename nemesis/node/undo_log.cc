#include "nemesis/node/undo_log.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace ordeal::node {

namespace {

// What is older than this much was written back by then, as by a cache that is full.
constexpr std::size_t most_bytes = std::size_t{256} << 20;

std::uint64_t next(std::uint64_t& state) {  // splitmix64 (Steele, Lea and Flood 2014)
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

off_t size_of(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? info.st_size : 0;
}

void write_all(int fd, const std::string& data, off_t offset) {
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t put =
        ::pwrite(fd, data.data() + done, data.size() - done, offset + static_cast<off_t>(done));
    if (put <= 0) return;
    done += static_cast<std::size_t>(put);
  }
}

std::string read_all(int fd, off_t offset, std::size_t size) {
  std::string data(size, '\0');
  const ssize_t got = ::pread(fd, data.data(), size, offset);
  data.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return data;
}

}  // namespace

UndoLog::UndoLog(int root) : root_(root) { ::mkdirat(root_, hidden, 0700); }

void UndoLog::add(Change change) {
  bytes_ += change.old_data.size() + change.new_data.size();
  changes_.push_back(std::move(change));
  while (bytes_ > most_bytes && changes_.size() > 1) drop(changes_.begin());
}

void UndoLog::drop(std::list<Change>::iterator change) {
  bytes_ -= change->old_data.size() + change->new_data.size();
  if (!change->kept.empty()) forget(change->kept);
  changes_.erase(change);
}

void UndoLog::will_write(const std::shared_ptr<OpenFile>& file, off_t offset, const char* data,
                         std::size_t size) {
  Change change;
  change.file = file;
  change.offset = offset;
  change.old_size = size_of(file->fd);
  if (offset < change.old_size) change.old_data = read_all(file->fd, offset, size);
  if (data != nullptr) change.new_data.assign(data, size);
  add(std::move(change));
}

void UndoLog::will_resize(const std::shared_ptr<OpenFile>& file, off_t size) {
  Change change;
  change.file = file;
  change.offset = size;
  change.old_size = size_of(file->fd);
  if (size < change.old_size)
    change.old_data = read_all(file->fd, size, static_cast<std::size_t>(change.old_size - size));
  add(std::move(change));
}

std::string UndoLog::keep(const std::string& path) {
  const std::string name = std::string(hidden) + "/" + std::to_string(++kept_count_);
  return ::linkat(root_, path.c_str(), root_, name.c_str(), 0) == 0 ? name : std::string();
}

void UndoLog::forget(const std::string& kept) const {
  if (!kept.empty()) ::unlinkat(root_, kept.c_str(), 0);
}

void UndoLog::created(const std::string& path) {
  Change change;
  change.kind = Kind::create;
  change.path = path;
  add(std::move(change));
}

void UndoLog::removed(const std::string& path, const std::string& kept) {
  Change change;
  change.kind = Kind::remove;
  change.path = path;
  change.kept = kept;
  add(std::move(change));
}

void UndoLog::renamed(const std::string& from, const std::string& to, const std::string& kept) {
  Change change;
  change.kind = Kind::rename;
  change.path = from;
  change.other = to;
  change.kept = kept;
  add(std::move(change));
}

void UndoLog::made_folder(const std::string& path) {
  Change change;
  change.kind = Kind::make_folder;
  change.path = path;
  add(std::move(change));
}

void UndoLog::removed_folder(const std::string& path, mode_t mode) {
  Change change;
  change.kind = Kind::remove_folder;
  change.path = path;
  change.mode = mode;
  add(std::move(change));
}

void UndoLog::settle(ino_t inode) {
  for (auto change = changes_.begin(); change != changes_.end();) {
    const auto here = change++;
    if (here->kind != Kind::data || here->file->inode == inode) drop(here);
  }
}

void UndoLog::settle_names() {
  for (auto change = changes_.begin(); change != changes_.end();) {
    const auto here = change++;
    if (here->kind != Kind::data) drop(here);
  }
}

void UndoLog::take_back_name(const Change& change) const {
  const char* path = change.path.c_str();
  if (change.kind == Kind::create) ::unlinkat(root_, path, 0);
  if (change.kind == Kind::make_folder) ::unlinkat(root_, path, AT_REMOVEDIR);
  if (change.kind == Kind::remove_folder) ::mkdirat(root_, path, change.mode);
  if (change.kind == Kind::rename) ::renameat(root_, change.other.c_str(), root_, path);
  const std::string& back = change.kind == Kind::rename ? change.other : change.path;
  if (!change.kept.empty()) ::renameat(root_, change.kept.c_str(), root_, back.c_str());
}

void UndoLog::take_back(const Change& change) const {
  if (change.kind != Kind::data) return take_back_name(change);
  write_all(change.file->fd, change.old_data, change.offset);
  if (size_of(change.file->fd) == change.old_size) return;
  [[maybe_unused]] const int cut = ::ftruncate(change.file->fd, change.old_size);
}

std::string UndoLog::cut(const PowerCut& how) {
  std::uint64_t state = how.seed;
  const auto happens = [&](int percent) {
    return next(state) % 100 < static_cast<unsigned>(percent);
  };
  std::vector<Change> kept;
  std::size_t torn = 0;
  const std::size_t all = changes_.size();
  while (!changes_.empty()) {
    Change change = std::move(changes_.back());
    changes_.pop_back();
    take_back(change);
    if (!change.new_data.empty() && happens(how.keep_percent)) kept.push_back(std::move(change));
  }
  bytes_ = 0;
  std::reverse(kept.begin(), kept.end());
  for (Change& change : kept) {
    const std::size_t sectors = change.new_data.size() / sector;
    if (sectors > 1 && happens(how.torn_percent)) {
      change.new_data.resize(sector * (next(state) % sectors));
      ++torn;
    }
    write_all(change.file->fd, change.new_data, change.offset);
  }
  return std::to_string(all - kept.size()) + " un-synced changes lost, " +
         std::to_string(kept.size()) + " kept, " + std::to_string(torn) + " of them torn";
}

void UndoLog::close() {
  while (!changes_.empty()) drop(changes_.begin());
  ::unlinkat(root_, hidden, AT_REMOVEDIR);
}

}  // namespace ordeal::node
