#pragma once

#include <string>
#include <vector>

/** Snapshots that the running Node.js wrote, in the order in which it wrote them. */
inline std::vector<std::string>& real_snapshot_paths() {
  static std::vector<std::string> paths;
  return paths;
}
