#include "task.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "convert.h"

namespace crucible::addon {

namespace {

/** process.exit() takes no environment down, but destroys what is static while threads still run. */
class Running {
 public:
  static Running& tasks() {
    static Running all;
    return all;
  }

  void add(const std::shared_ptr<Task>& task) {
    const std::lock_guard lock(mutex_);
    std::erase_if(tasks_, [](const auto& known) { return known.expired(); });
    tasks_.push_back(task);
  }

#if !defined(_WIN32)
  // Windows has ended all other threads by now.
  ~Running() {
    for (const auto& weak : tasks_)
      if (const auto task = weak.lock()) task->stop(false);
  }
#endif

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Task>> tasks_;
};

[[noreturn]] void throw_no_thread() {
  throw heap::SnapshotError("SNAPSHOT_TOO_LARGE",
                            {heap::kNoOffset, "the work could not be started", "the system has no thread left for it",
                             "let other work end first, or raise the limit of threads (ulimit -u)"});
}

std::string phase_text(const heap::Progress& progress) {
  const std::string phase = heap::phase_name(progress.phase());
  if (progress.file_count() < 2) return phase;
  return phase + " (file " + std::to_string(progress.file_number()) + " of " + std::to_string(progress.file_count()) + ")";
}

}  // namespace

Napi::Object Task::start(Napi::Env env, Work work) {
  const auto task = std::make_shared<Task>(env);
  const Napi::Object object = task->to_js(env);
  task->launch(env, std::move(work));
  return object;
}

Napi::Object Task::to_js(Napi::Env env) {
  auto object = Napi::Object::New(env);
  object.Set("result", deferred_.Promise());
  object.Set("progress", Napi::Function::New(
                             env,
                             [task = shared_from_this()](const Napi::CallbackInfo& info) {
                               auto progress = Napi::Object::New(info.Env());
                               progress.Set("phase", phase_text(task->progress_));
                               progress.Set("percent", static_cast<double>(task->progress_.percent()));
                               return progress;
                             },
                             "progress"));
  object.Set("cancel", Napi::Function::New(
                           env, [task = shared_from_this()](const Napi::CallbackInfo&) { task->progress_.cancel(); },
                           "cancel"));
  return object;
}

void Task::launch(Napi::Env env, Work work) {
  auto holder = std::make_unique<std::shared_ptr<Task>>(shared_from_this());
  const Napi::String name = Napi::String::New(env, "crucible-memory");
  const napi_status opened = napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, holder.get(), finalize,
                                                             this, deliver, &channel_);
  if (opened != napi_ok) throw Napi::Error::New(env);
  (void)holder.release();  // finalize() has it now
  // After the channel's own hook, and so run before it: the thread has left the channel when that is closed.
  napi_add_env_cleanup_hook(env, clean_up, this);
  Running::tasks().add(shared_from_this());
  try {
    thread_ = std::thread([this, work = std::move(work)] { run(work); });
  } catch (const std::system_error&) {
    run([](heap::Progress&) -> Deliver { throw_no_thread(); });
  }
}

void Task::run(const Work& work) {
  try {
    result_ = work(progress_);
    progress_.check();
  } catch (...) {
    failure_ = std::current_exception();
  }
  if (!tells_node_) return;
  napi_call_threadsafe_function(channel_, nullptr, napi_tsfn_nonblocking);
  napi_release_threadsafe_function(channel_, napi_tsfn_release);
}

void Task::stop(bool tells_node) {
  if (!tells_node) tells_node_ = false;
  progress_.cancel();
  join();
}

void Task::join() {
  if (thread_.joinable()) thread_.join();
}

/** On the JavaScript thread, when the work has ended; without an environment when that is being taken down. */
void Task::deliver(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;
  const auto task = static_cast<Task*>(context)->shared_from_this();
  task->join();
  napi_remove_env_cleanup_hook(env, clean_up, task.get());
  task->settle(env);
}

void Task::settle(Napi::Env env) {
  const Napi::HandleScope scope(env);
  try {
    try {
      if (failure_) deferred_.Reject(to_js_error(env, failure_).Value());
      else deferred_.Resolve(result_(env));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  } catch (const Napi::Error&) {
    // A worker that is being terminated runs no JavaScript any more: nobody waits for this.
  }
  result_ = nullptr;
  failure_ = nullptr;
}

void Task::finalize(napi_env, void* holder, void*) {
  const std::unique_ptr<std::shared_ptr<Task>> task(static_cast<std::shared_ptr<Task>*>(holder));
  (*task)->join();
}

void Task::clean_up(void* task) { static_cast<Task*>(task)->stop(true); }

}  // namespace crucible::addon
