#if defined(__linux__)

#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "../../native/process/memory_room.h"
#include "check.h"

namespace crucible::test {

using process::MemoryRoom;
using process::MemoryRoomReader;

namespace {

constexpr double kMib = 1 << 20;

/** A /proc and a /sys of our own. */
class Root {
 public:
  Root() {
    char name[] = "/tmp/crucible-memory-room-XXXXXX";
    check(mkdtemp(name) != nullptr, "a temporary folder");
    path_ = name;
    write("/proc/meminfo", "MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:    8388608 kB\n");
    write("/proc/self/status", "Name:\tnode\nVmSize:\t 1048576 kB\nVmData:\t  204800 kB\n");
  }
  ~Root() { std::filesystem::remove_all(path_); }

  Root& write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path_ + path).parent_path());
    std::ofstream(path_ + path) << text;
    return *this;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Root& mount(Root& root, const char* cgroup, const std::string& mountinfo) {
  return root.write("/proc/self/cgroup", cgroup).write("/proc/self/mountinfo", mountinfo);
}

const std::string kVersion2 = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string kVersion1 =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n";

std::string number(double mib) { return std::to_string(static_cast<long long>(mib * kMib)) + "\n"; }

}  // namespace

TEST("without control groups the system's available memory is the room") {
  Root root;
  const MemoryRoomReader reader(root.path());
  const MemoryRoom room = reader.read();
  check_equal(std::string(room.limited_by), std::string("the system"));
  check_equal(room.available_bytes, 8192 * kMib);
  check_equal(room.limit_bytes, 16384 * kMib);
}

TEST("a group of version 2 limits, page cache that would be dropped not counting") {
  Root root;
  mount(root, "0::/app\n", kVersion2)
      .write("/sys/fs/cgroup/app/memory.max", number(512))
      .write("/sys/fs/cgroup/app/memory.current", number(300))
      .write("/sys/fs/cgroup/app/memory.stat", "anon 1\ninactive_anon 7\nactive_file 9\ninactive_file " + number(100));
  const MemoryRoomReader reader(root.path());
  const MemoryRoom room = reader.read();
  check_equal(std::string(room.limited_by), std::string("cgroup v2 /sys/fs/cgroup/app"));
  check_equal(room.available_bytes, 312 * kMib);
  check_equal(room.limit_bytes, 512 * kMib);
  check_equal(room.used_bytes, 200 * kMib);
  root.write("/sys/fs/cgroup/app/memory.current", number(500));
  check_equal(reader.read().available_bytes, 112 * kMib);
}

TEST("the group that leaves least counts, however high above it lies") {
  Root root;
  mount(root, "0::/pod/app\n", kVersion2)
      .write("/sys/fs/cgroup/pod/app/memory.max", "max\n")
      .write("/sys/fs/cgroup/pod/app/memory.current", number(300))
      .write("/sys/fs/cgroup/pod/memory.max", number(400))
      .write("/sys/fs/cgroup/pod/memory.current", number(390));
  const MemoryRoomReader reader(root.path());
  const MemoryRoom room = reader.read();
  check_equal(std::string(room.limited_by), std::string("cgroup v2 /sys/fs/cgroup/pod"));
  check_equal(room.available_bytes, 10 * kMib);
}

TEST("a group of version 1 limits, and its number for no limit does not") {
  Root root;
  mount(root, "12:pids:/x\n4:cpu,memory:/app\n0::/\n", kVersion1)
      .write("/sys/fs/cgroup/memory/app/memory.limit_in_bytes", "9223372036854771712\n")
      .write("/sys/fs/cgroup/memory/app/memory.usage_in_bytes", number(90))
      .write("/sys/fs/cgroup/memory/memory.limit_in_bytes", number(100))
      .write("/sys/fs/cgroup/memory/memory.usage_in_bytes", number(95))
      .write("/sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file " + number(20));
  const MemoryRoomReader reader(root.path());
  const MemoryRoom room = reader.read();
  check_equal(std::string(room.limited_by), std::string("cgroup v1 /sys/fs/cgroup/memory"));
  check_equal(room.available_bytes, 25 * kMib);
}

TEST("in a container without a namespace of its own the mounted part of the hierarchy counts") {
  Root root;
  mount(root, "4:memory:/docker/abc/worker\n",
        "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n")
      .write("/sys/fs/cgroup/memory/worker/memory.limit_in_bytes", number(64))
      .write("/sys/fs/cgroup/memory/worker/memory.usage_in_bytes", number(80));
  const MemoryRoomReader reader(root.path());
  const MemoryRoom room = reader.read();
  check_equal(std::string(room.limited_by), std::string("cgroup v1 /sys/fs/cgroup/memory/worker"));
  check_equal(room.available_bytes, 0.0);
}

TEST("ulimit -d counts like a container") {
  Root root;
  rlimit before{};
  check(getrlimit(RLIMIT_DATA, &before) == 0, "a limit");
  rlimit limited = before;
  // Not to be felt by the tests themselves: a terabyte, of which the made-up process has nearly all.
  constexpr double kTib = kMib * kMib;
  limited.rlim_cur = static_cast<rlim_t>(kTib);
  root.write("/proc/self/status", "VmData:\t" + std::to_string(static_cast<long long>(kTib / 1024) - 2048) + " kB\n");
  check(setrlimit(RLIMIT_DATA, &limited) == 0, "limited");
  const MemoryRoomReader reader(root.path());
  const MemoryRoom room = reader.read();
  setrlimit(RLIMIT_DATA, &before);
  check_equal(std::string(room.limited_by), std::string("ulimit -d"));
  check_equal(room.available_bytes, 2 * kMib);
}

TEST("what cannot be read limits nothing, and without anything the room is not known") {
  Root root;
  std::filesystem::remove_all(root.path() + "/proc");
  const MemoryRoomReader reader(root.path());
  check(std::isnan(reader.read().available_bytes), "unknown");
}

TEST("this process has room, and less than the machine's memory") {
  const MemoryRoomReader reader;
  const MemoryRoom room = reader.read();
  check(room.available_bytes > kMib && room.available_bytes < room.limit_bytes, room.limited_by);
}

}  // namespace crucible::test

#endif
