#pragma once

#include <napi.h>

#include <cmath>
#include <new>
#include <string>
#include <utility>

#include "../recording/failure.h"
#include "addon.h"

/** Between JavaScript's values and plain ones, and between C++'s errors and JavaScript's. */
namespace crucible::addon {

[[nodiscard]] inline Napi::Error to_js_error(Napi::Env env, const Failure& failure) {
  const FailureParts& parts = failure.parts();
  auto fields = Napi::Object::New(env);
  fields.Set("what", parts.what);
  fields.Set("why", parts.why);
  fields.Set("fix", parts.fix);
  Napi::FunctionReference& make_error = env.GetInstanceData<AddonState>()->make_error;
  if (make_error.IsEmpty()) return Napi::Error::New(env, parts.what + ": " + parts.why);
  return Napi::Error(env, make_error.Call({Napi::String::New(env, failure.code()), fields}));
}

/** Runs `work`; what it throws arrives in JavaScript with its code and parts. */
template <class Work>
auto converting_errors(Napi::Env env, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Failure& failure) {
    throw to_js_error(env, failure);
  } catch (const std::bad_alloc&) {
    throw Napi::Error::New(env, "no memory left for the native part");
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

[[nodiscard]] inline Napi::Object to_object(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw wrong_argument(std::string(name) + " is not an object", "an object");
  return value.As<Napi::Object>();
}

/** A figure that is absent (NaN) leaves no property behind. */
inline void set_figure(Napi::Object& object, const char* name, double figure) {
  if (!std::isnan(figure)) object.Set(name, figure);
}

}  // namespace crucible::addon
