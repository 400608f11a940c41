#include "heap/export/nodes_csv.h"

#include <charconv>

#include "heap/base/cached_bytes.h"
#include "heap/export/output_file.h"
#include "heap/json/json_writer.h"
#include "heap/query/names.h"

namespace crucible::heap {

namespace {

bool is_plain(char c) { return c >= 0x20 && c < 0x7F && c != '"'; }

void append_number(std::string& line, std::uint64_t number) {
  char digits[24];
  line.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

/** Valid UTF-8 in quotes; what would act on a terminal or break the line is escaped. */
void append_quoted(std::string& line, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  line += '"';
  for (std::size_t at = 0; at < text.size();) {
    std::size_t plain = at;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    line += text.substr(at, plain - at);
    at = plain;
    if (at == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = utf8_length(text.substr(at));
    const bool is_late_control = length == 2 && byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    if (byte == '"') {
      line += "\"\"";
    } else if (byte < 0x20 || byte == 0x7F || is_late_control) {
      const unsigned code = is_late_control ? static_cast<unsigned char>(text[at + 1]) : byte;
      line += "\\u00";
      line += kHex[code >> 4];
      line += kHex[code & 15];
    } else if (length == 0) {
      line += "\xEF\xBF\xBD";
    } else {
      line += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  line += '"';
}

/** The file's names of types need quotes only if somebody forged them. */
std::vector<std::string> type_fields(const HeapGraph& graph) {
  std::vector<std::string> fields;
  for (const std::string& name : graph.meta.node_type_names) {
    std::string field;
    append_quoted(field, name);
    const bool plain = field.size() == name.size() + 2 && name.find(',') == std::string::npos;
    fields.push_back(plain ? name : field);
  }
  return fields;
}

}  // namespace

void write_nodes_csv(const ReadHeap& heap, const std::string& path, Progress& progress) {
  progress.enter(Phase::kWriting);
  const Snapshot& snapshot = heap.snapshot;
  const HeapGraph& graph = snapshot.graph;
  OutputFile out(path);
  const CachedBytes strings(*graph.strings.source());
  const Names names(graph, heap.redaction, strings);
  const std::vector<std::string> types = type_fields(graph);
  out.write("id,type,name,self_bytes,retained_bytes,dominator_id,distance\n");
  std::string line;
  for (const Node node : graph.all_nodes()) {
    if ((node.value & 0xFFF) == 0) progress.at(node.value, graph.node_count());
    line.clear();
    append_number(line, graph.nodes.id[node]);
    line += ',';
    line += types[graph.type(node)];
    line += ',';
    append_quoted(line, names.bare(node));
    line += ',';
    append_number(line, graph.nodes.self_bytes[node]);
    line += ',';
    append_number(line, snapshot.retained_bytes[node]);
    line += ',';
    if (node != graph.root) append_number(line, graph.nodes.id[snapshot.dominator[node]]);
    line += ',';
    if (snapshot.distance[node] != kNoDistance) append_number(line, static_cast<std::uint64_t>(snapshot.distance[node]));
    line += '\n';
    out.write(line);
  }
  out.commit();
  progress.enter(Phase::kDone);
}

}  // namespace crucible::heap
