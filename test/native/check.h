#pragma once

#include <functional>
#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/** The whole of the test framework: sentences with code behind them, and checks that name their place. */
namespace crucible::test {

struct Case {
  std::string sentence;
  std::function<void()> run;
};

[[nodiscard]] inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

struct Register {
  Register(std::string sentence, std::function<void()> run) { cases().push_back({std::move(sentence), std::move(run)}); }
};

inline void check(bool holds, std::string_view what, std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::ostringstream message;
  message << where.file_name() << ':' << where.line() << ": " << what;
  throw std::runtime_error(message.str());
}

template <class A, class B>
void check_equal(const A& actual, const B& expected, std::source_location where = std::source_location::current()) {
  if (actual == expected) return;
  std::ostringstream message;
  message << "got " << actual << ", expected " << expected;
  check(false, message.str(), where);
}

}  // namespace crucible::test

#define CRUCIBLE_JOIN_(a, b) a##b
#define CRUCIBLE_JOIN(a, b) CRUCIBLE_JOIN_(a, b)

/** TEST("a sentence that reads as the specification") { ... } */
#define TEST(sentence)                                                                                    \
  static void CRUCIBLE_JOIN(test_, __LINE__)();                                                           \
  static const ::crucible::test::Register CRUCIBLE_JOIN(registered_, __LINE__)(sentence,                  \
                                                                               CRUCIBLE_JOIN(test_, __LINE__)); \
  static void CRUCIBLE_JOIN(test_, __LINE__)()
