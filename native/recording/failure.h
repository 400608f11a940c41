#pragma once

#include <exception>
#include <string>
#include <utility>

namespace crucible {

/** What every error of this package says; src/errors.ts has the same three parts. */
struct FailureParts {
  std::string what;
  std::string why;
  std::string fix;
};

/** Thrown to whoever called; the addon turns it into a CrucibleMemoryError with this code. */
class Failure final : public std::exception {
 public:
  Failure(const char* code, FailureParts parts) : code_(code), parts_(std::move(parts)) {}

  [[nodiscard]] const char* code() const noexcept { return code_; }
  [[nodiscard]] const FailureParts& parts() const noexcept { return parts_; }
  [[nodiscard]] const char* what() const noexcept override { return parts_.what.c_str(); }

 private:
  const char* code_;
  FailureParts parts_;
};

}  // namespace crucible
