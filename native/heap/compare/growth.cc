#include "heap/compare/growth.h"

#include <algorithm>
#include <unordered_map>

#include "heap/compare/leak_share.h"

namespace crucible::heap {

namespace {

std::string hexadecimal(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t at = 16; at-- > 0; value >>= 4) text[at] = kDigits[value & 15];
  return text;
}

/** A group of the last tree in all trees. */
class History {
 public:
  History(const std::vector<PathTree>& trees, const PathTree::Row& row) {
    for (const PathTree& tree : trees) {
      const Group group = tree.find(row.fingerprint);
      objects_.push_back(group == kNo<Group> ? 0 : tree.row(group).objects);
      bytes_.push_back(group == kNo<Group> ? 0 : tree.row(group).bytes);
    }
  }
  [[nodiscard]] bool grows(std::uint32_t objects_min) const {
    for (std::size_t at = 1; at < objects_.size(); ++at)
      if (objects_[at] < objects_[at - 1] + objects_min) return false;
    return true;
  }
  void add_to(Growth& growth) const {
    growth.delta_counts.resize(objects_.size() - 1);
    growth.delta_bytes.resize(objects_.size() - 1);
    for (std::size_t at = 1; at < objects_.size(); ++at) {
      growth.delta_counts[at - 1] += static_cast<std::int64_t>(objects_[at] - objects_[at - 1]);
      growth.delta_bytes[at - 1] += static_cast<std::int64_t>(bytes_[at]) - static_cast<std::int64_t>(bytes_[at - 1]);
    }
  }
  [[nodiscard]] std::int64_t gained_bytes() const {
    return static_cast<std::int64_t>(bytes_.back()) - static_cast<std::int64_t>(bytes_.front());
  }

 private:
  std::vector<std::uint64_t> objects_;
  std::vector<std::uint64_t> bytes_;
};

/** A container with the growing groups right below it. */
struct Container {
  Group group;
  std::vector<Group> members;
  Growth growth;
  std::int64_t gained_bytes = 0;
  std::int64_t best_member_bytes = 0;
};

/** Containers none of whose ancestors grows; in the order of the tree. */
std::vector<Container> topmost_containers(const std::vector<PathTree>& trees, const Snapshot& last,
                                          std::uint32_t objects_min) {
  const PathTree& tree = trees.back();
  std::vector<bool> below_growth(tree.rows().size());
  std::vector<Container> containers;
  std::unordered_map<std::uint32_t, std::size_t> by_group;
  for (std::uint32_t at = 0; at < tree.rows().size(); ++at) {
    const PathTree::Row& row = tree.rows()[at];
    if (row.parent == kNo<Group>) continue;
    below_growth[at] = below_growth[row.parent.value];
    if (below_growth[at] || row.objects < objects_min * (trees.size() - 1)) continue;
    const History history(trees, row);
    if (!history.grows(objects_min)) continue;
    below_growth[at] = true;
    const auto [known, fresh] = by_group.try_emplace(row.parent.value, containers.size());
    if (fresh) containers.push_back(Container{row.parent, {}, {}, 0, 0});
    Container& container = containers[known->second];
    container.members.push_back(Group{at});
    history.add_to(container.growth);
    container.gained_bytes += history.gained_bytes();
    if (container.members.size() == 1 || history.gained_bytes() > container.best_member_bytes) {
      container.best_member_bytes = history.gained_bytes();
      container.growth.class_of_entries = last.classes.of(row.sample);
      container.growth.sample_entry = row.sample;
    }
  }
  return containers;
}

}  // namespace

void GrowthTracker::add(const Snapshot& snapshot, Progress& progress) {
  if (!trees_.empty()) trees_.back().drop_nodes();
  trees_.emplace_back(snapshot, progress);
}

std::vector<Growth> GrowthTracker::finish(const Snapshot& last, const Names& names, const GrowthOptions& options,
                                          Progress& progress) const {
  if (trees_.size() < 2) return {};
  progress.enter(Phase::kComparing);
  const PathTree& tree = trees_.back();
  std::vector<Container> containers = topmost_containers(trees_, last, options.objects_min);
  std::stable_sort(containers.begin(), containers.end(),
                   [](const Container& a, const Container& b) { return a.gained_bytes > b.gained_bytes; });
  const std::size_t count = std::min({containers.size(), options.groups_max, kLeakGroupsMax});
  containers.resize(count);
  std::unordered_map<std::uint32_t, std::size_t> container_of;
  for (std::size_t at = 0; at < count; ++at)
    for (const Group member : containers[at].members) container_of.emplace(member.value, at);
  std::vector<std::vector<Node>> members(count);
  for (const Node node : last.graph.all_nodes()) {
    const Group group = tree.of(node);
    const auto found = group == kNo<Group> ? container_of.end() : container_of.find(group.value);
    if (found != container_of.end()) members[found->second].push_back(node);
  }
  const std::vector<LeakShare> shares = share_leaks(last.graph, members, progress);
  std::vector<Growth> growths;
  for (std::size_t at = 0; at < count; ++at) {
    Growth growth = std::move(containers[at].growth);
    growth.fingerprint = hexadecimal(tree.row(containers[at].group).fingerprint);
    growth.path = tree.path_text(last.graph, names, containers[at].group);
    growth.share_bytes = shares[at].share_bytes;
    growth.exclusive_bytes = shares[at].exclusive_bytes;
    growth.is_v8s_own = tree.is_plumbing(containers[at].group) ||
                        last.graph.kind(tree.row(containers[at].group).sample) == NodeKind::kSynthetic ||
                        is_made_by_v8(last.classes.name(growth.class_of_entries).kind);
    growths.push_back(std::move(growth));
  }
  std::stable_sort(growths.begin(), growths.end(), [](const Growth& a, const Growth& b) {
    return a.is_v8s_own != b.is_v8s_own ? b.is_v8s_own : a.share_bytes > b.share_bytes;
  });
  return growths;
}

PathDiff diff_paths(const PathTree& first, const PathTree& second, const Snapshot& second_snapshot,
                    const Names& names, std::size_t count) {
  struct Change {
    Group group;
    std::int64_t objects;
    std::int64_t bytes;
  };
  std::vector<Change> changes;
  PathDiff diff;
  for (const PathTree::Row& row : first.rows()) {
    if (second.find(row.fingerprint) != kNo<Group>) continue;
    diff.gone.delta_count -= row.objects;
    diff.gone.delta_bytes -= static_cast<std::int64_t>(row.own_bytes);
  }
  for (std::uint32_t at = 0; at < second.rows().size(); ++at) {
    const PathTree::Row& row = second.rows()[at];
    const Group before = first.find(row.fingerprint);
    Change change{Group{at}, row.objects, static_cast<std::int64_t>(row.own_bytes)};
    if (before != kNo<Group>) {
      change.objects -= first.row(before).objects;
      change.bytes -= static_cast<std::int64_t>(first.row(before).own_bytes);
    }
    if (change.objects != 0 || change.bytes != 0) changes.push_back(change);
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return std::abs(a.bytes) > std::abs(b.bytes); });
  if (changes.size() > count) changes.resize(count);
  for (const Change& change : changes) {
    const PathTree::Row& row = second.row(change.group);
    diff.paths.push_back({second.path_text(second_snapshot.graph, names, change.group), hexadecimal(row.fingerprint),
                          second_snapshot.classes.of(row.sample), change.objects, change.bytes});
  }
  return diff;
}

}  // namespace crucible::heap
