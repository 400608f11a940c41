#pragma once

#include <cstddef>
#include <string>

#include "heap/analysis/class_table.h"
#include "heap/graph/heap_graph.h"
#include "heap/query/redaction.h"

namespace crucible::heap {

/**
 * What a heap's things are called in answers. Everything that is shown gets
 * its name here, so that with a redaction no content of a string leaves.
 * Names beyond 4,096 bytes, which V8 never writes, are cut.
 */
class Names {
 public:
  /** @param redaction none: names as they are */
  explicit Names(const HeapGraph& graph, const Redaction* redaction = nullptr) : graph_(graph), redaction_(redaction) {}
  /** @param strings a cache of what `graph.strings` reads from, for the names of many nodes */
  Names(const HeapGraph& graph, const Redaction* redaction, const ByteSource& strings)
      : graph_(graph), redaction_(redaction), strings_(&strings) {}

  /** `.name`, `[5]`, `->variable`, `{internal}`, `[[weak]]`, as DevTools writes edges. */
  [[nodiscard]] std::string edge(Edge edge) const;
  /** The bare name: `name`, `5`. */
  [[nodiscard]] std::string bare(Edge edge) const;
  /** V8's name of the node, which may be empty. */
  [[nodiscard]] std::string bare(Node node) const;
  /**
   * What a person would call the node: `Widget`, `{id, name}`, `handler()`,
   * `bound handler()`, `variables of handler() (cache, limit)`, `"text"`.
   */
  [[nodiscard]] std::string node(Node node) const;
  /** Of a plain object: `{first, second, …, last}` of at most about 100 characters, as DevTools writes it. */
  [[nodiscard]] std::string plain_object(Node node) const;
  /** The text of a string, ropes put together. */
  [[nodiscard]] std::string content(Node string) const;
  [[nodiscard]] std::string of(const ClassTable& classes, Class c) const;
  /** A class's name that was read before. */
  [[nodiscard]] std::string class_name(const std::string& name, NodeKind kind) const;
  /** A function's name that is not a node's. */
  [[nodiscard]] std::string function(Text name) const;

 private:
  [[nodiscard]] std::string decode(Text text, std::uint8_t use) const;
  [[nodiscard]] std::string closure(Node node) const;
  [[nodiscard]] std::string context(Node node) const;
  [[nodiscard]] std::string string(Node node) const;

  const HeapGraph& graph_;
  const Redaction* redaction_;
  const ByteSource* strings_ = nullptr;
};

/** The text of a string that V8 keeps in pieces, at most `length_max` bytes and a little. */
[[nodiscard]] std::string cons_string_text(const HeapGraph& graph, Node node, std::size_t length_max = 1024);

}  // namespace crucible::heap
