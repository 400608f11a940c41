#include <cstdio>
#include <exception>

#include "check.h"

/** Runs every test; the exit code says whether all held. */
int main() {
  int failed = 0;
  for (const auto& [sentence, run] : crucible::test::cases()) {
    try {
      run();
      std::printf("ok      %s\n", sentence.c_str());
    } catch (const std::exception& error) {
      failed++;
      std::printf("FAILED  %s\n        %s\n", sentence.c_str(), error.what());
    }
  }
  std::printf("%zu passed, %d failed\n", crucible::test::cases().size() - static_cast<std::size_t>(failed), failed);
  return failed == 0 ? 0 : 1;
}
