#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace crucible::heap {

/**
 * A position in one kind of table. The space is part of the type, so that an
 * edge can never be looked up in a table of nodes: it does not compile.
 */
template <class Space>
struct Index {
  std::uint32_t value = 0;

  friend constexpr auto operator<=>(Index, Index) = default;
};

using Node = Index<struct NodeSpace>;
using Edge = Index<struct EdgeSpace>;
/** Position in the list of (target, edge) pairs sorted by target. */
using Retainer = Index<struct RetainerSpace>;
/** Position in the snapshot's string table. */
using Text = Index<struct TextSpace>;
using Class = Index<struct ClassSpace>;
/** Position in the order in which a depth-first search met the nodes. */
using Dfs = Index<struct DfsSpace>;

inline constexpr std::uint32_t kNone = 0xFFFFFFFF;
template <class Key>
inline constexpr Key kNo = Key{kNone};

/** Every index from `first` up to, but without, `last`. */
template <class Key>
class Range {
 public:
  class Iterator {
   public:
    using value_type = Key;
    using difference_type = std::ptrdiff_t;
    constexpr explicit Iterator(std::uint32_t at) : at_(at) {}
    constexpr Key operator*() const { return Key{at_}; }
    constexpr Iterator& operator++() {
      ++at_;
      return *this;
    }
    friend constexpr bool operator==(Iterator, Iterator) = default;

   private:
    std::uint32_t at_;
  };

  constexpr Range(std::uint32_t first, std::uint32_t last) : first_(first), last_(last) {}
  [[nodiscard]] constexpr Iterator begin() const { return Iterator{first_}; }
  [[nodiscard]] constexpr Iterator end() const { return Iterator{last_}; }
  [[nodiscard]] constexpr std::uint32_t size() const { return last_ - first_; }
  [[nodiscard]] constexpr bool empty() const { return first_ == last_; }

 private:
  std::uint32_t first_;
  std::uint32_t last_;
};

}  // namespace crucible::heap
