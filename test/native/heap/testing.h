#pragma once

#include <cstdio>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/** Just enough to register tests by a sentence and to say what was expected. */
namespace testing {

struct Test {
  const char* sentence;
  void (*body)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

struct Registration {
  Registration(const char* sentence, void (*body)()) { tests().push_back({sentence, body}); }
};

/** Thrown to leave a test that cannot run here; the reason is printed. */
struct Skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

template <class T>
std::string show(const T& value) {
  if constexpr (Printable<T>) {
    std::ostringstream out;
    out << value;
    return out.str();
  } else {
    return "(value)";
  }
}

template <class Left, class Right>
void equal(const Left& found, const Right& expected, const char* what, const char* file, int line) {
  if (found == expected) return;
  throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + what + " is " + show(found) +
                           ", expected " + show(expected));
}

inline void truth(bool found, const char* what, const char* file, int line) {
  if (!found) throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": not true: " + what);
}

}  // namespace testing

#define TESTING_JOIN2(a, b) a##b
#define TESTING_JOIN(a, b) TESTING_JOIN2(a, b)
#define TEST(sentence)                                                                                    \
  static void TESTING_JOIN(test_body_, __LINE__)();                                                       \
  static const ::testing::Registration TESTING_JOIN(test_, __LINE__)(sentence, TESTING_JOIN(test_body_, __LINE__)); \
  static void TESTING_JOIN(test_body_, __LINE__)()
#define EQUAL(found, expected) ::testing::equal((found), (expected), #found, __FILE__, __LINE__)
#define TRUE(found) ::testing::truth((found), #found, __FILE__, __LINE__)
