#include <cstring>

#include "test/native/heap/real_snapshots.h"
#include "test/native/heap/testing.h"

/** run_tests [FILE.heapsnapshot...]: every test, the last ones on the given real snapshots. Prints TAP. */
int main(int count, char** values) {
  for (int at = 1; at < count; ++at) real_snapshot_paths().push_back(values[at]);
  int failures = 0;
  int number = 0;
  std::printf("1..%zu\n", testing::tests().size());
  for (const testing::Test& test : testing::tests()) {
    ++number;
    try {
      test.body();
      std::printf("ok %d - %s\n", number, test.sentence);
    } catch (const testing::Skipped& skipped) {
      std::printf("ok %d - %s # SKIP %s\n", number, test.sentence, skipped.what());
    } catch (const std::exception& error) {
      ++failures;
      std::printf("not ok %d - %s\n  # %s\n", number, test.sentence, error.what());
    }
    std::fflush(stdout);
  }
  return failures == 0 ? 0 : 1;
}
