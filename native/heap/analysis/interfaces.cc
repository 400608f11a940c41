#include "heap/analysis/interfaces.h"

#include <algorithm>
#include <unordered_map>

namespace crucible::heap {

namespace {

/** DevTools stops adding properties to a name that would become longer than this. */
constexpr std::size_t kNameLengthMax = 120;
constexpr double kObjectsPerInterface = 1000;

struct Candidate {
  Node first;
  std::uint32_t properties = 0;
  std::uint32_t count = 0;
  std::uint32_t order = 0;
};

bool is_counted(const HeapGraph& graph, Edge edge) {
  return graph.kind(edge) == EdgeKind::kProperty && !graph.is_named(edge, hash_text("__proto__"));
}

/** How many properties the name of the object's interface has room for, and the hash of that name. */
std::pair<std::uint32_t, std::uint64_t> shape_of(const HeapGraph& graph, Node node) {
  std::uint32_t properties = 0;
  std::uint64_t hash = 0;
  std::size_t length = 1;
  for (const Edge edge : graph.edges_of(node)) {
    if (!is_counted(graph, edge)) continue;
    const Text name = graph.name(edge);
    const std::size_t label = graph.strings.label_length(name);
    if (length > 1 && length + label > kNameLengthMax) break;
    length += label + (length > 1 ? 2 : 0);
    hash = combine(hash, graph.strings.hash(name));
    ++properties;
  }
  return {properties, hash};
}

Interface describe(const HeapGraph& graph, const Candidate& candidate) {
  Interface interface{"{", {}};
  for (const Edge edge : graph.edges_of(candidate.first)) {
    if (interface.properties.size() == candidate.properties) break;
    if (!is_counted(graph, edge)) continue;
    if (interface.name.size() > 1) interface.name += ", ";
    interface.name += label_of(graph.strings.decode(graph.name(edge)));
    interface.properties.push_back(graph.strings.hash(graph.name(edge)));
  }
  interface.name += '}';
  std::sort(interface.properties.begin(), interface.properties.end());
  return interface;
}

}  // namespace

bool is_plain_object(const HeapGraph& graph, Node node) {
  return graph.kind(node) == NodeKind::kObject && graph.is_named(node, hash_text("Object"));
}

std::vector<Interface> infer_interfaces(const HeapGraph& graph, Progress& progress) {
  std::unordered_map<std::uint64_t, Candidate> by_shape;
  std::uint64_t objects = 0;
  for (const Node node : graph.all_nodes()) {
    if ((node.value & 0xFFFF) == 0) progress.check();
    if (!is_plain_object(graph, node)) continue;
    ++objects;
    const auto [properties, hash] = shape_of(graph, node);
    if (properties == 0) continue;
    Candidate& candidate = by_shape[hash];
    if (candidate.count++ == 0) {
      candidate.first = node;
      candidate.properties = properties;
      candidate.order = static_cast<std::uint32_t>(by_shape.size());
    }
  }
  const double count_min = std::max(2.0, static_cast<double>(objects) / kObjectsPerInterface);
  std::vector<Candidate> popular;
  for (const auto& [hash, candidate] : by_shape)
    if (candidate.count >= count_min) popular.push_back(candidate);
  std::sort(popular.begin(), popular.end(), [](const Candidate& a, const Candidate& b) {
    return a.count != b.count ? a.count > b.count : a.order < b.order;
  });
  std::vector<Interface> interfaces;
  for (const Candidate& candidate : popular) interfaces.push_back(describe(graph, candidate));
  return interfaces;
}

InterfaceMatcher::InterfaceMatcher(const std::vector<Interface>& interfaces) : branches_(1) {
  for (std::uint32_t at = 0; at < interfaces.size(); ++at) {
    std::uint32_t branch = 0;
    for (const std::uint64_t property : interfaces[at].properties) {
      auto& next = branches_[branch].next;
      auto found = std::lower_bound(next.begin(), next.end(), std::pair{property, 0u});
      if (found == next.end() || found->first != property) {
        const auto fresh = static_cast<std::uint32_t>(branches_.size());
        next.insert(found, {property, fresh});
        branches_.push_back({{}, kNone, branches_[branch].depth + 1});
        branch = fresh;
      } else {
        branch = found->second;
      }
    }
    if (branches_[branch].interface == kNone) branches_[branch].interface = at;
  }
}

bool InterfaceMatcher::is_better(std::uint32_t branch, std::uint32_t than) const {
  if (branches_[branch].interface == kNone) return false;
  if (than == kNone) return true;
  if (branches_[branch].depth != branches_[than].depth) return branches_[branch].depth > branches_[than].depth;
  return branches_[branch].interface < branches_[than].interface;
}

std::uint32_t InterfaceMatcher::match(std::vector<std::uint64_t> properties) const {
  std::sort(properties.begin(), properties.end());
  std::vector<std::uint32_t> states{0};
  std::uint32_t best = is_better(0, kNone) ? 0 : kNone;
  for (const std::uint64_t property : properties) {
    // States added in this round wait for the next property.
    std::size_t kept = 0;
    const std::size_t count = states.size();
    for (std::size_t at = 0; at < count; ++at) {
      const std::uint32_t state = states[at];
      const auto& next = branches_[state].next;
      const auto found = std::lower_bound(next.begin(), next.end(), std::pair{property, 0u});
      if (found != next.end() && found->first == property) {
        states.push_back(found->second);
        if (is_better(found->second, best)) best = found->second;
      }
      if (!next.empty() && property < next.back().first) states[kept++] = state;
    }
    states.erase(states.begin() + static_cast<std::ptrdiff_t>(kept), states.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return best == kNone ? kNone : branches_[best].interface;
}

}  // namespace crucible::heap
