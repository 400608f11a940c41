#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "heap/base/sip_hash.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** Letters, digits, `_` and `$`, at most 40 characters and at most three digits: nobody's token or number. */
[[nodiscard]] bool is_plain_identifier(std::string_view text);

/**
 * Keeps what a program's author wrote and hides what its users did. Contents
 * become `<24 characters, hash 3f2a9c01d2e4>`: equal ones are seen to be equal,
 * within one process, and without its random key no hash can be looked up.
 *
 * Names of properties, variables, functions and classes stay if they look like
 * identifiers, and so does what V8 itself calls its objects; paths of scripts
 * stay. Given up: a secret that looks like an identifier and serves as a
 * property's name is shown.
 */
class Redaction {
 public:
  explicit Redaction(SipKey key) : key_(key) {}
  /** With a key of this process, which nobody ever sees. */
  [[nodiscard]] static const Redaction& of_this_process();

  /** How a text of the file is used; one text may be used in several ways. */
  enum Use : std::uint8_t {
    kContent = 0,
    /** Of a property, variable, function or class. */
    kName = 1,
    /** V8's or the embedder's own word for something. */
    kLabel = 2,
    /** URL or path of a script. */
    kScript = 4,
    /** An internal reference, which may be the entry of a WeakMap. */
    kInternal = 8,
  };
  [[nodiscard]] static Use use_of_name(const HeapGraph& graph, Node node);
  [[nodiscard]] static Use use_of_name(const HeapGraph& graph, Edge edge);

  /** The text as it may be shown. @param uses one or several of Use: each may be the reason to keep it */
  [[nodiscard]] std::string clean(std::string_view text, std::uint8_t uses) const;
  [[nodiscard]] std::string content(std::string_view text) const;
  /** Of a class: a constructor's name, or the `{id, name}` of plain objects. */
  [[nodiscard]] std::string class_name(std::string_view text, NodeKind kind) const;

 private:
  [[nodiscard]] std::string shape(std::string_view text) const;
  SipKey key_;
};

}  // namespace crucible::heap
