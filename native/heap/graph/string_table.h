#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heap/base/hash.h"
#include "heap/base/table.h"
#include "heap/base/byte_source.h"

namespace crucible::heap {

/**
 * The snapshot's strings as places in the file: eight bytes of offset, eight
 * of hash and two of length each, decoded when somebody asks. A table beyond
 * 512 MB, which no JavaScript string can hold, costs no more than that.
 */
class StringTable {
 public:
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(offset_of_.size()); }
  /** Of the decoded text, by hash_text. A string that the file does not have differs from every other. */
  [[nodiscard]] std::uint64_t hash(Text text) const {
    return text.value < size() ? hash_of_[text.value] : combine(hash_text("lost"), text.value);
  }
  [[nodiscard]] bool is(Text text, std::uint64_t hash_of_text) const { return hash(text) == hash_of_text; }

  /** All that have this hash: one in a file of V8's. Looks at every string. */
  [[nodiscard]] std::vector<Text> all_of(std::uint64_t hash_of_text) const;

  /**
   * UTF-8. A string lost to truncation is named `(string 123 is not in the file)`.
   * @param bytes_max cuts a longer text off between two characters
   */
  [[nodiscard]] std::string decode(Text text, std::size_t bytes_max = ~std::size_t{0}) const;
  /** The same, from another view of the same bytes. */
  [[nodiscard]] std::string decode_from(const ByteSource& source, Text text,
                                        std::size_t bytes_max = ~std::size_t{0}) const;
  [[nodiscard]] const std::shared_ptr<const ByteSource>& source() const { return source_; }
  /**
   * UTF-16 code units of the text as a property's name in a list of names:
   * with quotes and escapes if it needs them, at most 65,535.
   */
  [[nodiscard]] std::uint32_t label_length(Text text) const {
    return text.value < size() ? label_length_of_[text.value] : 0;
  }
  /** `<div id="a">` and `Detached <div>`: the names that DOM nodes have. */
  [[nodiscard]] bool is_markup(Text text) const {
    return std::binary_search(markup_.begin(), markup_.end(), text);
  }

  /** @param offset of the first byte after the quote */
  void append(std::uint64_t offset, std::string_view text);
  /** Where the file has the list: from the byte after its bracket to the byte after the closing one, if that is there. */
  struct Place {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  [[nodiscard]] Place place() const { return place_; }
  void begin_at(std::uint64_t offset) { place_.begin = offset; }
  void end_at(std::uint64_t offset) { place_.end = offset; }
  void attach(std::shared_ptr<const ByteSource> source) { source_ = std::move(source); }
  void shrink_to_fit() {
    offset_of_.shrink_to_fit();
    hash_of_.shrink_to_fit();
    label_length_of_.shrink_to_fit();
  }
  [[nodiscard]] std::size_t bytes_held() const {
    return offset_of_.bytes_held() + hash_of_.bytes_held() + label_length_of_.bytes_held() +
           markup_.capacity() * sizeof(Text);
  }

 private:
  Column<std::uint64_t> offset_of_;
  Column<std::uint64_t> hash_of_;
  Column<std::uint16_t> label_length_of_;
  std::vector<Text> markup_;
  Place place_;
  std::shared_ptr<const ByteSource> source_;
};

/** Lengths as JavaScript counts: two for each character beyond U+FFFF. */
[[nodiscard]] std::size_t utf16_length(std::string_view utf8);

/** A property's name for a list of names: quoted where a comma, quote or brace in it would mislead. */
[[nodiscard]] std::string label_of(std::string_view name);

}  // namespace crucible::heap
