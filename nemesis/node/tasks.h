#pragma once
// The subcommands of the program for nodes that do harm. Each returns the exit status, and says on
// stderr in one sentence why it could not.

#include "nemesis/node/arguments.h"

namespace ordeal::node {

// --pid N --percent P: the process group runs P percent of the time.
int run_throttle(const Arguments& arguments);

// Control groups. `--freeze 1`, `--cpu PERCENT`, `--memory KILOBYTES` (more than it has now) or
// `--io KILOBYTES` (a second; with `--data FOLDER`) is what is asked of one.
int confine(const Arguments& arguments);        // --name NAME --pid N: the server, and all it made
int tell_of_group(const Arguments& arguments);  // --name NAME: what shows the effect; 1 for nothing
int release(const Arguments& arguments);        // --name NAME; without a name all groups of ours
int is_released(const Arguments& arguments);    // --name NAME; 0 when it is
int check_group(const Arguments& arguments);    // whether that can be asked of groups here

// --pid-command SHELL [--realtime-ms N] [--monotonic-ms N] [--drift-ppm N] [--strobe-ms N]
int run_clock(const Arguments& arguments);
// Whether clocks can be skewed here: tries it on a process of its own.
int check_clock(const Arguments& arguments);

// --data FOLDER --harm
// power-cut|lying-fsync|eio|enospc|slow-fsync|read-corruption|misdirected-write
// [--call CALL] [--percent P] [--delay-ms N] [--keep-percent P] [--torn-percent P] [--seed N]
int run_disk(const Arguments& arguments);
int check_disk(const Arguments& arguments);  // whether a file system can be mounted here
// Unmounts file systems of ours that nobody serves any more.
void detach_dead_disks();

// Files at rest, of the server that --data FOLDER belongs to; --name is the fault's. `remember`
// keeps what the files are now for a later rollback; `damage` changes them; `damaged` tells what
// stands; `mend` takes it back, of all faults when no name is given.
int run_remember(const Arguments& arguments);
int run_damage(const Arguments& arguments);
int tell_of_damage(const Arguments& arguments);
int mend_damage(const Arguments& arguments);

// The clock of the whole machine: [--offset-ms N] [--strobe-ms N] [--drift-ppm N]. `right-clock`
// sets it right, if it was set wrong since the machine was started.
int run_host_clock(const Arguments& arguments);
int right_host_clock(const Arguments& arguments);

// --data FOLDER: its file system has no byte left, by a file without a name.
int run_fill(const Arguments& arguments);
int check_fill(const Arguments& arguments);  // whether it is one that may be filled

// --queue N [--delay-ms N] [--jitter-ms N] [--loss-percent P] [--duplicate-percent P]
// [--reorder-percent P] [--corrupt-percent P] [--rate-kbit N] [--clog 1] [--seed N]
int run_packets(const Arguments& arguments);
int check_packets(const Arguments& arguments);       // whether the kernel has such queues
inline constexpr unsigned sent_again_mark = 0x4f72;  // of packets that must not be queued again
inline constexpr unsigned short check_queue = 48899;

}  // namespace ordeal::node
