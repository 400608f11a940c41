#include "memory_room.h"

#include <sys/resource.h>

#include <cmath>
#include <string_view>
#include <vector>

#include "proc_file_linux.h"

namespace crucible::process {

namespace {

/** Files of one cgroup. Where a file is missing it limits nothing. */
struct Cgroup {
  std::string name;
  std::string limit_path;
  std::string usage_path;
  std::string stat_path;
  /** In memory.stat, with the line before it: page cache that is dropped first. */
  const char* reclaimable_key;
};

/** Larger "limits" are how version 1 says that there is none. */
constexpr double kNoLimitBytes = 1e18;

template <std::size_t Size>
std::string_view contents(const std::string& path, char (&buffer)[Size]) noexcept {
  return ProcFile(path.c_str()).read(buffer);
}

double number_in(const std::string& path) noexcept {
  char buffer[64];
  std::string_view text = contents(path, buffer);
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nan("");  // "max": no limit
  return static_cast<double>(take_number(text));
}

std::string whole_text(const std::string& path) {
  const ProcFile file(path.c_str());
  std::string text;
  char buffer[4096];
  for (;;) {
    const std::string_view piece = file.read_into(buffer, sizeof buffer, text.size());
    if (piece.empty()) return text;
    text += piece;
  }
}

template <class Use>
void for_each_line(std::string_view text, const Use& use) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    use(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

/** Blank-separated, counted from 0. */
std::string_view word(std::string_view line, int number) {
  for (; number > 0; number--) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return {};
    line.remove_prefix(blank + 1);
  }
  return line.substr(0, line.find(' '));
}

bool has_part(std::string_view list, std::string_view part) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == part) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

/** The process's cgroup of the memory controller ("0::/path" or "4:memory:/path"); empty: none. */
std::string cgroup_path(std::string_view proc_self_cgroup, bool is_version_2) {
  std::string found;
  for_each_line(proc_self_cgroup, [&](std::string_view line) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) return;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (is_version_2 ? line.substr(0, second + 1) == "0::" : has_part(controllers, "memory"))
      found = line.substr(second + 1);
  });
  return found;
}

struct Mount {
  std::string point;
  /** What of the hierarchy is mounted there. */
  std::string root;
};

/** Where the hierarchy is mounted: "32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory". */
Mount mount_of(std::string_view proc_self_mountinfo, bool is_version_2) {
  Mount found;
  for_each_line(proc_self_mountinfo, [&](std::string_view line) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) return;
    const std::string_view type = word(line.substr(dash + 3), 0);
    const std::string_view options = word(line.substr(dash + 3), 2);
    if (type == (is_version_2 ? "cgroup2" : "cgroup") && (is_version_2 || has_part(options, "memory")))
      found = {std::string(word(line, 4)), std::string(word(line, 3))};
  });
  return found;
}

/** The process's own cgroup first, then those above it, as far as they are mounted. */
std::vector<Cgroup> cgroups_of(const std::string& root, bool is_version_2) {
  const Mount mount = mount_of(whole_text(root + "/proc/self/mountinfo"), is_version_2);
  std::string path = cgroup_path(whole_text(root + "/proc/self/cgroup"), is_version_2);
  if (mount.point.empty() || path.empty()) return {};
  // In a container without a cgroup namespace the container's own cgroup is what is mounted.
  if (mount.root != "/") path = path.rfind(mount.root, 0) == 0 ? path.substr(mount.root.size()) : "";
  std::vector<Cgroup> cgroups;
  for (;;) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    const std::string folder = root + mount.point + path;
    const std::string name = mount.point + path;
    if (is_version_2)
      cgroups.push_back({"cgroup v2 " + name, folder + "/memory.max", folder + "/memory.current",
                         folder + "/memory.stat", "\ninactive_file "});
    else
      cgroups.push_back({"cgroup v1 " + name, folder + "/memory.limit_in_bytes", folder + "/memory.usage_in_bytes",
                         folder + "/memory.stat", "\ntotal_inactive_file "});
    if (path.empty()) return cgroups;
    path.erase(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

void consider(MemoryRoom& room, const char* name, double limit_bytes, double used_bytes) noexcept {
  const double available_bytes = std::fmax(0, limit_bytes - used_bytes);
  if (std::isnan(available_bytes) || std::isnan(limit_bytes) || available_bytes >= room.available_bytes) return;
  room = {available_bytes, limit_bytes, used_bytes, name};
}

void consider_ulimit(MemoryRoom& room, const char* name, int resource, double used_kilobytes) noexcept {
  rlimit limit{};
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  consider(room, name, static_cast<double>(limit.rlim_cur), used_kilobytes * 1024);
}

}  // namespace

struct MemoryRoomReader::Limits {
  std::vector<Cgroup> cgroups;
  std::string meminfo_path;
  std::string status_path;
};

MemoryRoomReader::MemoryRoomReader(const std::string& root)
    : limits_(new Limits{cgroups_of(root, true), root + "/proc/meminfo", root + "/proc/self/status"}) {
  for (Cgroup& cgroup : cgroups_of(root, false)) limits_->cgroups.push_back(std::move(cgroup));
}

MemoryRoomReader::~MemoryRoomReader() = default;

MemoryRoom MemoryRoomReader::read() const noexcept {
  char buffer[8192];
  MemoryRoom room;
  room.available_bytes = std::numeric_limits<double>::infinity();
  for (const Cgroup& cgroup : limits_->cgroups) {
    const double limit_bytes = number_in(cgroup.limit_path);
    if (std::isnan(limit_bytes) || limit_bytes > kNoLimitBytes) continue;
    const double reclaimable_bytes = number_after(contents(cgroup.stat_path, buffer), cgroup.reclaimable_key);
    const double used_bytes = number_in(cgroup.usage_path);
    consider(room, cgroup.name.c_str(), limit_bytes,
             std::isnan(reclaimable_bytes) ? used_bytes : std::fmax(0, used_bytes - reclaimable_bytes));
  }
  const std::string_view meminfo = contents(limits_->meminfo_path, buffer);
  const double total_bytes = number_after(meminfo, "MemTotal:") * 1024;
  consider(room, "the system", total_bytes, total_bytes - number_after(meminfo, "MemAvailable:") * 1024);
  const std::string_view status = contents(limits_->status_path, buffer);
  consider_ulimit(room, "ulimit -d", RLIMIT_DATA, number_after(status, "VmData:"));
  consider_ulimit(room, "ulimit -v", RLIMIT_AS, number_after(status, "VmSize:"));
  if (std::isinf(room.available_bytes)) room.available_bytes = std::nan("");
  return room;
}

}  // namespace crucible::process
