#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "../heap/base/snapshot_error.h"
#include "../recording/failure.h"

/** Between JavaScript's values and plain ones, and between C++'s errors and JavaScript's. */
namespace crucible::addon {

/** What src/native.ts gave this addon with onError(). Each addon defines it for itself. */
[[nodiscard]] Napi::FunctionReference& error_maker(Napi::Env env);

/** A CrucibleMemoryError. @param byte_offset of the input, or kNoOffset */
[[nodiscard]] inline Napi::Error to_js_error(Napi::Env env, const char* code, const FailureParts& parts,
                                             std::uint64_t byte_offset = heap::kNoOffset) {
  auto fields = Napi::Object::New(env);
  fields.Set("what", parts.what);
  fields.Set("why", parts.why);
  fields.Set("fix", parts.fix);
  if (byte_offset != heap::kNoOffset) fields.Set("byteOffset", static_cast<double>(byte_offset));
  Napi::FunctionReference& make_error = error_maker(env);
  if (make_error.IsEmpty()) return Napi::Error::New(env, parts.what + ": " + parts.why);
  return Napi::Error(env, make_error.Call({Napi::String::New(env, code), fields}));
}

/** Of anything that native code throws. */
[[nodiscard]] inline Napi::Error to_js_error(Napi::Env env, const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Failure& failure) {
    return to_js_error(env, failure.code(), failure.parts());
  } catch (const heap::SnapshotError& error) {
    const heap::ErrorParts& parts = error.parts();
    return to_js_error(env, error.code(), {parts.what, parts.why, parts.fix}, parts.byte_offset);
  } catch (const std::bad_alloc&) {
    return to_js_error(env, "SNAPSHOT_TOO_LARGE",
                       {"the work needs more memory than there is", "the system refused an allocation",
                        "free memory or raise the limit: a snapshot takes about one and a half times its file's size"});
  } catch (const std::exception& error) {
    return to_js_error(env, "SNAPSHOT_UNREADABLE",
                       {"the native part failed", error.what(), "report this as a bug, with the file if you can"});
  }
}

/** Runs `work`; what it throws arrives in JavaScript with its code and parts. */
template <class Work>
auto converting_errors(Napi::Env env, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_js_error(env, std::current_exception());
  }
}

[[nodiscard]] inline Failure wrong_argument(const std::string& what, const std::string& expected) {
  return Failure("USAGE", {what, "expected " + expected, "see src/native.ts for what the addon is called with"});
}

[[nodiscard]] inline std::string to_text(const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw wrong_argument(std::string(name) + " is not a string", "a string");
  return value.As<Napi::String>().Utf8Value();
}

[[nodiscard]] inline double to_number(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) throw wrong_argument(std::string(name) + " is not a number", "a number");
  return value.As<Napi::Number>().DoubleValue();
}

/** Anything but a whole number within the limits is a misuse. */
[[nodiscard]] inline std::uint64_t to_whole(const Napi::Value& value, const char* name, double least, double most) {
  const double number = to_number(value, name);
  if (number >= least && number <= most && number == std::floor(number)) return static_cast<std::uint64_t>(number);
  throw wrong_argument(std::string(name) + " is " + std::to_string(number),
                       "a whole number from " + std::to_string(static_cast<std::uint64_t>(least)) + " to " +
                           std::to_string(static_cast<std::uint64_t>(most)));
}

[[nodiscard]] inline Napi::Object to_object(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw wrong_argument(std::string(name) + " is not an object", "an object");
  return value.As<Napi::Object>();
}

/** A figure that is absent (NaN) leaves no property behind. */
inline void set_figure(Napi::Object& object, const char* name, double figure) {
  if (!std::isnan(figure)) object.Set(name, figure);
}

}  // namespace crucible::addon
