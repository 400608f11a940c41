/**
 * fuzz_driver SECONDS [SEED]: feeds the fuzz target with small heaps, whole and
 * mutated, where libFuzzer is not at hand. Prints how many inputs it tried.
 */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "test/native/heap/slow_truth.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::string corpus_entry() {
    HeapBuilder heap = slow::random_heap(static_cast<std::uint32_t>(random_()), 30);
    if (below(3) == 0) heap.location(static_cast<std::uint32_t>(below(heap.node_count())), 1, 2, 3);
    if (below(3) == 0) {
      heap.trace_function_infos = "[0,1,1,0,0,0]";
      heap.trace_tree = "[1,0,2,3,[2,0,4,5,[]]]";
      heap.samples = "[1,2]";
    }
    Layout layout;
    if (below(2) == 0) layout.row_separator = "";
    if (below(4) == 0) layout.space = " ";
    if (below(3) == 0) std::swap(layout.sections[below(8)], layout.sections[below(8)]);
    return heap.json(layout);
  }

  void mutate(std::string& text) {
    static const char* const kTokens[] = {"[", "]", "{", "}", ",", "\"", "\\", ":", "0", "9", "18446744073709551615",
                                          "4294967295", "-1", "1e9", "\n", " ", "\\u", "nodes", "strings", "__proto__"};
    for (std::uint64_t round = 1 + below(4); round > 0 && !text.empty(); --round) {
      const std::size_t at = below(text.size());
      switch (below(6)) {
        case 0: text[at] = static_cast<char>(random_()); break;
        case 1: text.erase(at, 1 + below(20)); break;
        case 2: text.insert(at, kTokens[below(std::size(kTokens))]); break;
        case 3: text.insert(at, text.substr(below(text.size()), below(40))); break;
        case 4: text.resize(at); break;
        case 5:
          // Numbers are nearly all there is: make one of them another one.
          for (std::size_t digit = at; digit < text.size(); ++digit)
            if (text[digit] >= '0' && text[digit] <= '9') {
              text[digit] = static_cast<char>('0' + below(10));
              break;
            }
          break;
      }
    }
  }

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

 private:
  std::mt19937_64 random_;
};

}  // namespace

int main(int count, char** values) {
  const double seconds = count > 1 ? std::atof(values[1]) : 5;
  Mutator mutator(count > 2 ? static_cast<std::uint32_t>(std::atoi(values[2])) : 1);
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t inputs = 0;
  while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds) {
    const std::string whole = mutator.corpus_entry();
    for (int variant = 0; variant < 20; ++variant, ++inputs) {
      std::string text = whole;
      if (variant > 0) mutator.mutate(text);
      text.insert(text.begin(), static_cast<char>(mutator.below(256)));
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    }
  }
  std::printf("%llu inputs, none of which did harm\n", static_cast<unsigned long long>(inputs));
  return 0;
}
