#include <algorithm>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <vector>

#include "heap/base/jobs.h"
#include "heap/base/radix_sort.h"
#include "heap/base/table.h"
#include "heap/parse/number_block.h"
#include "test/native/heap/testing.h"

using namespace crucible::heap;

TEST("packed integers take as many bytes as the largest needs, and setting one leaves its neighbours alone") {
  for (const std::uint32_t largest : {0xFFFFu, 0xFFFFFFu, kNone}) {
    PackedTable<Node> table(100, largest);
    for (std::uint32_t at = 0; at < 100; ++at) table.set(Node{at}, largest - at);
    table.set(Node{50}, 0);
    for (std::uint32_t at = 0; at < 100; ++at) EQUAL(table[Node{at}], at == 50 ? 0 : largest - at);
    EQUAL(table.bytes_held(), 100u * (largest == 0xFFFF ? 2 : largest == 0xFFFFFF ? 3 : 4) + 4);
  }
}

TEST("the values that do not fit into three bytes are found in a list, and the largest that fits too") {
  NarrowTable<Edge> table(3, 0x10000);
  const std::uint32_t mask = table.narrow().mask();
  EQUAL(mask, 0xFFFFFFu);
  table.narrow().set(Edge{0}, mask - 1);
  table.narrow().set(Edge{1}, mask);
  table.narrow().set(Edge{2}, mask);
  table.set_wide({{2, 4'000'000'000}, {1, mask}});
  EQUAL(table[Edge{0}], mask - 1);
  EQUAL(table[Edge{1}], mask);
  EQUAL(table[Edge{2}], 4'000'000'000);
}

TEST("rows are sorted by keys of any size, and equal ones keep their order") {
  struct Row {
    std::uint32_t key;
    std::uint32_t order;
  };
  for (const std::uint32_t key_max : {0u, 5u, 5000u, 0xFFFFFFFFu}) {
    Column<Row> rows;
    std::uint32_t random = 7;
    for (std::uint32_t at = 0; at < 3000; ++at) {
      random = random * 1664525 + 1013904223;
      rows.push_back({key_max == kNone ? random : random % (key_max + 1), at});
    }
    radix_sort(rows, key_max, [](const Row& row) { return row.key; });
    TRUE(std::is_sorted(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return a.key != b.key ? a.key < b.key : a.order < b.order;
    }));
  }
}

TEST("a job runs once and after what it needs; one thread keeps the order of the list") {
  for (const unsigned threads : {1u, 2u, 5u}) {
    std::atomic<int> clock{0};
    std::vector<int> at(5, -1);
    Jobs jobs;
    const auto add = [&](std::size_t number, std::initializer_list<Jobs::Job> needs) {
      return jobs.add(needs, [&at, &clock, number] { at[number] = clock++; });
    };
    const auto first = add(0, {});
    const auto second = add(1, {first});
    const auto other = add(2, {});
    add(3, {second, other});
    add(4, {});
    jobs.run(Crew(threads));
    EQUAL(clock.load(), 5);
    TRUE(at[1] > at[0] && at[3] > at[1] && at[3] > at[2]);
    if (threads == 1) TRUE((at == std::vector<int>{0, 1, 2, 3, 4}));
  }
}

TEST("after a job that failed no other begins, and its error comes back") {
  for (const unsigned threads : {1u, 4u}) {
    Jobs jobs;
    bool ran = false;
    const auto fails = jobs.add({}, [] { throw std::runtime_error("out of order"); });
    jobs.add({fails}, [&ran] { ran = true; });
    std::string error;
    try {
      jobs.run(Crew(threads));
    } catch (const std::runtime_error& caught) {
      error = caught.what();
    }
    EQUAL(error, "out of order");
    TRUE(!ran);
  }
}

TEST("numbers of any length are read as they stand, and nothing else, with wide registers and without") {
  std::size_t refused = 0;
  for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
    std::uint32_t random = seed;
    const auto below = [&random](std::uint32_t limit) {
      random = random * 1664525 + 1013904223;
      return (random >> 8) % limit;
    };
    std::string text(NumberBlock::kMargin, '[');
    std::vector<std::uint64_t> expected;
    while (expected.size() < 1 + seed % 40) {
      const std::uint32_t digits = 1 + below(below(8) == 0 ? 16 : 8);
      std::uint64_t number = 0;
      for (std::uint32_t digit = 0; digit < digits; ++digit) {
        text += static_cast<char>('0' + below(10));
        number = number * 10 + static_cast<std::uint64_t>(text.back() - '0');
      }
      expected.push_back(number);
      text += below(4) == 0 ? "\n," : ",";
    }
    text.back() = ']';
    const std::size_t size = text.size() - NumberBlock::kMargin;
    // Every second text has one byte that may belong there, and most often does not.
    const bool is_changed = seed % 2 == 0;
    if (is_changed) text[NumberBlock::kMargin + below(static_cast<std::uint32_t>(size) - 1)] = "0,\n -.\xB0\xF9"[below(8)];
    text.append(NumberBlock::kMargin, '0');
    const auto read = [&](bool is_wide) -> std::optional<std::vector<std::uint64_t>> {
      const char* const first = text.data() + NumberBlock::kMargin;
      NumberBlock block(1024, is_wide);
      std::vector<std::uint32_t> ends(1 + 128);
      std::vector<std::uint64_t> values(block.find_ends(first, size));
      if (block.take_ends(ends.data() + 1, 128) != values.size()) return std::nullopt;
      const char* const behind = block.read(first, first, ends.data() + 1, values.size(), values.data());
      if (behind != first + size) return std::nullopt;
      return values;
    };
    const auto narrow = read(false);
    refused += !narrow;
    if (!is_changed) TRUE(narrow == expected);
    if (wide::is_available()) TRUE(read(true) == narrow);
  }
  TRUE(refused > 500);
}

TEST("the ends of numbers are found wherever a word of 64 bytes cuts them, in a text of any size") {
  for (std::size_t size = 1; size < 200; ++size) {
    std::string text(NumberBlock::kMargin, ',');
    std::uint32_t random = static_cast<std::uint32_t>(size);
    while (text.size() < size + 2 * NumberBlock::kMargin) {
      random = random * 1664525 + 1013904223;
      text += (random >> 16) % 4 == 0 ? ',' : static_cast<char>('0' + (random >> 20) % 10);
    }
    const char* const first = text.data() + NumberBlock::kMargin;
    std::vector<std::uint32_t> expected;
    for (std::uint32_t at = 0; at < size; ++at)
      if (!is_digit(first[at]) && is_digit(first[static_cast<std::ptrdiff_t>(at) - 1])) expected.push_back(at);
    for (const bool is_wide : {false, wide::is_available()}) {
      NumberBlock block(256, is_wide);
      EQUAL(block.find_ends(first, size), expected.size());
      std::vector<std::uint32_t> found(256);
      found.resize(block.take_ends(found.data(), found.size()));
      TRUE(found == expected);
    }
  }
}
