#include "test/native/heap/heap_builder.h"

#include <algorithm>
#include <map>

#include "heap/json/json_writer.h"
#include "heap/parse/snapshot_parser.h"

using namespace crucible::heap;

namespace {

const std::vector<std::string> kNodeTypes = {
    "hidden", "array",     "string",              "object",        "code",   "closure", "regexp",       "number",
    "native", "synthetic", "concatenated string", "sliced string", "symbol", "bigint",  "object shape", "from the future"};
const std::vector<std::string> kEdgeTypes = {"context", "element", "property", "internal", "hidden", "shortcut", "weak",
                                             "telepathic"};

std::uint32_t position(const std::vector<std::string>& in, const std::string& name) {
  return static_cast<std::uint32_t>(std::find(in.begin(), in.end(), name) - in.begin());
}

std::string quoted(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (c == '\n') json += "\\n";
    else json += c;
  }
  return json + '"';
}

std::string list(const std::vector<std::string>& texts, const std::string& space) {
  std::string json = "[";
  for (const std::string& text : texts) json += (json.size() > 1 ? "," + space : space) + quoted(text);
  return json + space + "]";
}

}  // namespace

HeapBuilder::HeapBuilder() {
  node("synthetic", "", 0);
  node("object", "global", 40);
  edge("shortcut", "global", 0, 1);
}

std::uint32_t HeapBuilder::text(const std::string& content) {
  const auto found = std::find(strings_.begin(), strings_.end(), content);
  if (found == strings_.end()) strings_.push_back(content);
  return position(strings_, content);
}

std::uint32_t HeapBuilder::node(const std::string& type, const std::string& name, std::uint64_t self_size,
                                std::uint64_t id) {
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({position(kNodeTypes, type), text(name), id != 0 ? id : 2 * index + 1, self_size});
  return index;
}

void HeapBuilder::edge(const std::string& type, const std::string& name, std::uint32_t from, std::uint32_t to) {
  edges_.push_back({position(kEdgeTypes, type), text(name), from, to});
}

void HeapBuilder::edge(const std::string& type, std::uint64_t index, std::uint32_t from, std::uint32_t to) {
  edges_.push_back({position(kEdgeTypes, type), index, from, to});
}

void HeapBuilder::weak_map_entry(std::uint32_t table, std::uint32_t key, std::uint32_t value) {
  const std::string name = " / part of key (" + strings_[nodes_[key].name] + " @" + std::to_string(id(key)) +
                           ") -> value (" + strings_[nodes_[value].name] + " @" + std::to_string(id(value)) +
                           ") pair in WeakMap (table @" + std::to_string(id(table)) + ")";
  edge("internal", "3" + name, key, value);
  edge("internal", "7" + name, table, value);
}

void HeapBuilder::location(std::uint32_t node, std::uint32_t script, std::uint32_t line, std::uint32_t column) {
  locations_.push_back({node, script, line, column});
}

std::string HeapBuilder::rows(const std::vector<std::vector<std::uint64_t>>& values, const Layout& layout) const {
  std::string json = "[";
  for (std::size_t row = 0; row < values.size(); ++row) {
    for (std::size_t column = 0; column < values[row].size(); ++column) {
      if (row + column != 0) json += "," + layout.space;
      json += std::to_string(values[row][column]);
    }
    json += layout.row_separator;
  }
  return json + "]";
}

std::string HeapBuilder::meta(const Layout& layout) const {
  const std::string& s = layout.space;
  std::string types = "[" + s + list(kNodeTypes, s);
  for (std::size_t at = 1; at < layout.node_fields.size(); ++at) types += "," + s + "\"number\"";
  // The enumeration stands where the column stands.
  const std::uint32_t at = position(layout.node_fields, "type");
  if (at != 0) {
    types = "[";
    for (std::uint32_t column = 0; column < layout.node_fields.size(); ++column)
      types += (column == 0 ? "" : ",") + (column == at ? list(kNodeTypes, s) : std::string("\"number\""));
  }
  std::string edge_types = "[";
  for (std::uint32_t column = 0; column < layout.edge_fields.size(); ++column)
    edge_types += (column == 0 ? "" : ",") +
                  (layout.edge_fields[column] == "type" ? list(kEdgeTypes, s) : std::string("\"node\""));
  return "{" + s + "\"node_fields\":" + s + list(layout.node_fields, s) + ",\"node_types\":" + types +
         "],\"edge_fields\":" + list(layout.edge_fields, s) + ",\"edge_types\":" + edge_types +
         "],\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\",\"script_id\",\"line\",\"column\"]"
         ",\"trace_node_fields\":[\"id\",\"function_info_index\",\"count\",\"size\",\"children\"]"
         ",\"sample_fields\":[\"timestamp_us\",\"last_assigned_id\"],\"location_fields\":" +
         list(layout.location_fields, s) + "}";
}

std::string HeapBuilder::section(const std::string& name, const Layout& layout) const {
  std::vector<std::vector<std::uint64_t>> values;
  if (name == "snapshot") {
    return "{\"meta\":" + meta(layout) + "," + layout.space + "\"node_count\":" +
           std::to_string(node_count_declared != 0 ? node_count_declared : nodes_.size()) + ",\"edge_count\":" +
           std::to_string(edge_count_declared != 0 ? edge_count_declared : edges_.size()) + more_in_snapshot + "}";
  }
  if (name == "nodes") {
    for (std::uint32_t index = 0; index < nodes_.size(); ++index) {
      const NodeRow& row = nodes_[index];
      const auto edges = static_cast<std::uint64_t>(
          std::count_if(edges_.begin(), edges_.end(), [&](const EdgeRow& each) { return each.from == index; }));
      const std::map<std::string, std::uint64_t> fields = {
          {"type", row.type},           {"name", row.name},       {"id", row.id}, {"self_size", row.self_size},
          {"edge_count", edges}, {"trace_node_id", row.trace_node}, {"detachedness", row.detachedness}};
      values.emplace_back();
      for (const std::string& field : layout.node_fields) {
        const auto known = fields.find(field);
        values.back().push_back(known == fields.end() ? 123456 : known->second);
      }
    }
    return rows(values, layout);
  }
  if (name == "edges") {
    std::vector<EdgeRow> ordered = edges_;
    std::stable_sort(ordered.begin(), ordered.end(), [](const EdgeRow& a, const EdgeRow& b) { return a.from < b.from; });
    for (const EdgeRow& row : ordered) {
      const std::map<std::string, std::uint64_t> fields = {
          {"type", row.type}, {"name_or_index", row.name_or_index}, {"to_node", row.to * layout.node_fields.size()}};
      values.emplace_back();
      for (const std::string& field : layout.edge_fields) {
        const auto known = fields.find(field);
        values.back().push_back(known == fields.end() ? 654321 : known->second);
      }
    }
    return rows(values, layout);
  }
  if (name == "locations") {
    for (const LocationRow& row : locations_) {
      const std::map<std::string, std::uint64_t> fields = {{"object_index", row.node * layout.node_fields.size()},
                                                           {"script_id", row.script},
                                                           {"line", row.line},
                                                           {"column", row.column}};
      values.emplace_back();
      for (const std::string& field : layout.location_fields) {
        const auto known = fields.find(field);
        values.back().push_back(known == fields.end() ? 1 : known->second);
      }
    }
    return rows(values, layout);
  }
  if (name == "trace_function_infos") return trace_function_infos.empty() ? "[]" : trace_function_infos;
  if (name == "trace_tree") return trace_tree.empty() ? "[]" : trace_tree;
  if (name == "samples") return samples.empty() ? "[]" : samples;
  if (name == "strings") return list(strings_, layout.space.empty() ? "\n" : layout.space);
  return R"({"anything":["at all ] } \" , ",1.5e3,{"deep":[[[]]]}]})";
}

std::string HeapBuilder::json(const Layout& layout) const {
  std::string json = layout.before + "{";
  for (const std::string& name : layout.sections)
    json += (json.back() == '{' ? "" : ",\n") + layout.space + quoted(name) + layout.space + ":" + layout.space +
            section(name, layout);
  return json + layout.space + "}";
}

HeapGraph HeapBuilder::graph(const Layout& layout) const { return parse_text(json(layout)); }

Snapshot HeapBuilder::analysed(unsigned threads) const {
  Progress progress;
  return analyse(graph(), {}, Crew(threads), progress);
}

HeapGraph parse_text(const std::string& json, bool salvage) {
  return parse_bytes(json.data(), json.size(), ParseOptions{salvage});
}
