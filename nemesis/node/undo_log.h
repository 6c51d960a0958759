#pragma once
// What a disk would still have in its cache: every change to a folder that was not yet made
// durable, in order, with what it takes to take it back. Changes are made at once (so that reading
// needs nothing of this), and are taken back when power is cut.
//
// What is durable when: fsync of a file makes its content durable, and all changes of names, as the
// journal of ext4 does; fsync of a folder makes all changes of names durable. Not thread-safe.

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include <sys/types.h>
#include <unistd.h>

namespace ordeal::node {

// An open file of the folder below; open until the last change to it is settled.
struct OpenFile {
  OpenFile(int descriptor, ino_t number) : fd(descriptor), inode(number) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(fd); }
  int fd;
  ino_t inode;
};

struct PowerCut {
  int keep_percent = 0;  // of the writes that were not durable, these reached the disk all the same
  int torn_percent = 0;  // and of those, these only in part, in sectors
  std::uint64_t seed = 0;
};

class UndoLog {
 public:
  // `root` is the folder below; old files are kept in a hidden folder of it.
  explicit UndoLog(int root);

  // Call each before the change is made.
  void will_write(const std::shared_ptr<OpenFile>& file, off_t offset, const char* data,
                  std::size_t size);
  void will_resize(const std::shared_ptr<OpenFile>& file, off_t size);
  // The hard link that keeps a file which a change of names is about to remove; empty: there is
  // none.
  [[nodiscard]] std::string keep(const std::string& path);
  void forget(const std::string& kept) const;
  // Call each after it was made.
  void created(const std::string& path);
  void removed(const std::string& path, const std::string& kept);
  void renamed(const std::string& from, const std::string& to, const std::string& kept);
  void made_folder(const std::string& path);
  void removed_folder(const std::string& path, mode_t mode);

  void settle(ino_t inode);  // fsync of a file
  void settle_names();

  // Takes back, newest first, what is not durable; says how much in words. The log is empty then.
  std::string cut(const PowerCut& how);
  [[nodiscard]] std::size_t size() const { return changes_.size(); }
  // Everything is durable, and the hidden folder is gone.
  void close();

  static constexpr const char* hidden = ".ordeal-removed";
  static constexpr std::size_t sector = 512;

 private:
  enum class Kind { data, create, remove, rename, make_folder, remove_folder };
  struct Change {
    Kind kind = Kind::data;
    std::shared_ptr<OpenFile> file;  // data
    off_t offset = 0, old_size = 0;
    std::string old_data, new_data;
    std::string path, other, kept;  // names
    mode_t mode = 0;
  };
  void add(Change change);
  void drop(std::list<Change>::iterator change);
  void take_back(const Change& change) const;
  void take_back_name(const Change& change) const;

  int root_;
  std::list<Change> changes_;
  std::size_t bytes_ = 0;
  unsigned long long kept_count_ = 0;
};

}  // namespace ordeal::node
