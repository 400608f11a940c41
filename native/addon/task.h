#pragma once

#include <napi.h>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <thread>

#include "heap/base/progress.h"

namespace crucible::addon {

/**
 * NativeTask of src/native.ts: work on a thread of its own, which neither the
 * event loop nor libuv's pool waits for, and a promise of what comes of it.
 *
 * The event loop stays alive until the task has ended. When its environment is
 * taken down before that, or the process exits, the work is cancelled and
 * waited for: no thread outlives the code that it runs.
 */
class Task : public std::enable_shared_from_this<Task> {
 public:
  /** Makes the result in JavaScript, on the JavaScript thread. */
  using Deliver = std::function<Napi::Value(Napi::Env)>;
  /** Runs on the task's thread with plain data; may throw. */
  using Work = std::function<Deliver(heap::Progress&)>;

  /** Starts the work. @returns the `{ result, progress, cancel }` of a NativeTask */
  static Napi::Object start(Napi::Env env, Work work);

  explicit Task(Napi::Env env) : deferred_(Napi::Promise::Deferred::New(env)) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  /** Cancels and waits for the end of the thread. @param tells_node false once Node.js is going away */
  void stop(bool tells_node);

 private:
  [[nodiscard]] Napi::Object to_js(Napi::Env env);
  void launch(Napi::Env env, Work work);
  void run(const Work& work);
  void join();
  void settle(Napi::Env env);

  static void deliver(napi_env env, napi_value callback, void* task, void* data);
  static void finalize(napi_env env, void* holder, void* hint);
  static void clean_up(void* task);

  Napi::Promise::Deferred deferred_;
  heap::Progress progress_;
  napi_threadsafe_function channel_ = nullptr;
  std::atomic<bool> tells_node_{true};
  std::thread thread_;
  /** Written by the thread before it ends, read when it has. */
  Deliver result_;
  std::exception_ptr failure_;
};

}  // namespace crucible::addon
