#include "heap_sampler.h"

#include <uv.h>
#include <v8.h>

#include "../recording/failure.h"
#include "heap_figures.h"

namespace crucible::isolate {

namespace {

std::vector<ChannelText> figure_channels(const std::string& prefix) {
  return {
      {prefix + "heap_used_bytes", "bytes", "V8 heap in use, live and garbage"},
      {prefix + "heap_total_bytes", "bytes", "V8 heap committed"},
      {prefix + "external_bytes", "bytes", "memory outside the heap that JavaScript objects hold"},
      {prefix + "v8_malloced_bytes", "bytes", "allocated by V8 itself outside its heap"},
      {prefix + "v8_delay_ns", "ns", "from the tick at which V8 was asked to its answer"},
  };
}

std::vector<ChannelText> space_channels(const std::string& prefix, const std::vector<std::string>& names) {
  std::vector<ChannelText> channels = {
      {prefix + "native_context_count", "count", "top-level contexts (realms) that are alive"},
      {prefix + "detached_context_count", "count", "contexts that were let go of and not collected"},
      {prefix + "global_handles_bytes", "bytes", "handles that native code holds on JavaScript objects"},
  };
  for (const std::string& name : names) {
    channels.push_back({prefix + name + "_used_bytes", "bytes", "used part of this heap space"});
    channels.push_back({prefix + name + "_committed_bytes", "bytes", "committed part of this heap space"});
  }
  return channels;
}

constexpr std::size_t kBeforeSpaces = 3;

}  // namespace

HeapSampler::HeapSampler(v8::Isolate* isolate, const HeapSamplerOptions& options)
    : isolate_(isolate),
      link_(options.link),
      ticks_per_sample_(options.ticks_per_sample),
      spaces_interval_ns_(static_cast<std::int64_t>(options.spaces_interval_ms * 1e6)),
      event_loop_(options.event_loop),
      request_(new Request{this}),
      figures_(link_.table()),
      silences_(link_.table()) {
  figures_group_ = figures_.define_group(options.prefix + "v8", figure_channels(options.prefix));
  const auto spaces = heap_space_names(isolate);
  spaces_group_ = figures_.define_group(options.prefix + "v8_spaces", space_channels(options.prefix, spaces));
  spaces_.resize(kBeforeSpaces + 2 * spaces.size());
  silence_group_ = silences_.define_group(
      options.prefix + "v8_silence",
      {{options.prefix + "v8_silence", "other",
        "0 V8 answers, 1 its thread is busy where V8 does not answer, 2 its event loop is idle; holds until the next"}});
  collections_ = std::make_unique<CollectionWatch>(isolate, figures_, link_.table(), options.prefix,
                                                   [this] { answer_tick(); });

  // The first sample is there even if V8 answers no tick before the end.
  write_figures(link_->now_ns());
  subscription_ = link_->subscribe(link_->self, on_tick, this);
  if (subscription_ == 0)
    throw Failure("RECORDING_UNWRITABLE", {"V8 cannot be asked at the sampler's ticks", "no memory is left",
                                           "free some memory, and start the capture again"});
}

HeapSampler::~HeapSampler() {
  link_->unsubscribe(link_->self, subscription_);
  request_->sampler = nullptr;
}

void HeapSampler::on_tick(void* sampler, std::int64_t now_ns, double) {
  static_cast<HeapSampler*>(sampler)->tick(now_ns);
}

/** On the sampler's thread. */
void HeapSampler::tick(std::int64_t now_ns) {
  if (--ticks_left_ > 0) return;
  ticks_left_ = ticks_per_sample_;
  ticks_.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t idle_ns = uv_metrics_idle_time(static_cast<uv_loop_t*>(event_loop_));

  if (!request_->is_open.load(std::memory_order_acquire)) {
    note_silence(Silence::none, now_ns);
    request_->asked_ns.store(now_ns, std::memory_order_relaxed);
    request_->is_answered.store(false, std::memory_order_relaxed);
    request_->is_open.store(true, std::memory_order_release);
    isolate_->RequestInterrupt(on_interrupt, request_);
  } else if (request_->is_answered.load(std::memory_order_acquire)) {
    // V8 still has the request: the same one asks for this tick.
    note_silence(Silence::none, now_ns);
    request_->asked_ns.store(now_ns, std::memory_order_relaxed);
    request_->is_answered.store(false, std::memory_order_release);
  } else {
    const bool was_idle = static_cast<std::int64_t>(idle_ns - last_idle_ns_) > (now_ns - last_tick_ns_) / 2;
    (was_idle ? ticks_idle_ : ticks_busy_).fetch_add(1, std::memory_order_relaxed);
    note_silence(was_idle ? Silence::idle : Silence::busy, now_ns);
  }
  last_tick_ns_ = now_ns;
  last_idle_ns_ = idle_ns;
}

void HeapSampler::note_silence(Silence silence, std::int64_t now_ns) {
  if (silence == silence_) return;
  silence_ = silence;
  const auto value = static_cast<double>(silence);
  silences_.sample(silence_group_, &value, now_ns);
}

/** On the isolate's thread, between two instructions of JavaScript. */
void HeapSampler::on_interrupt(v8::Isolate*, void* data) {
  auto* request = static_cast<Request*>(data);
  HeapSampler* sampler = request->sampler;
  if (sampler != nullptr && !is_forked_child()) sampler->answer_tick();
  request->is_open.store(false, std::memory_order_release);
}

/** On the isolate's thread. Each tick once: whoever comes first. */
void HeapSampler::answer_tick() {
  if (!request_->is_open.load(std::memory_order_acquire)) return;
  if (request_->is_answered.load(std::memory_order_acquire)) return;
  write_figures(request_->asked_ns.load(std::memory_order_relaxed));
  request_->is_answered.store(true, std::memory_order_release);
}

void HeapSampler::write_figures(std::int64_t asked_ns) {
  const HeapFigures heap = read_heap_figures(isolate_);
  const std::int64_t now_ns = link_->now_ns();
  const double values[] = {heap.used_bytes, heap.total_bytes, heap.external_bytes, heap.malloced_bytes,
                           static_cast<double>(now_ns - asked_ns)};
  figures_.sample(figures_group_, values, now_ns);
  answers_.fetch_add(1, std::memory_order_relaxed);

  if (now_ns < spaces_due_ns_) return;
  spaces_due_ns_ = now_ns + spaces_interval_ns_;
  read_heap_spaces(isolate_, &spaces_[kBeforeSpaces], (spaces_.size() - kBeforeSpaces) / 2);
  spaces_[0] = heap.native_context_count;
  spaces_[1] = heap.detached_context_count;
  spaces_[2] = heap.global_handles_bytes;
  figures_.sample(spaces_group_, spaces_.data(), now_ns);
}

HeapSamplerStatistics HeapSampler::statistics() const noexcept {
  return {
      ticks_.load(std::memory_order_relaxed),      answers_.load(std::memory_order_relaxed),
      ticks_busy_.load(std::memory_order_relaxed), ticks_idle_.load(std::memory_order_relaxed),
      collections_->collections(),
  };
}

}  // namespace crucible::isolate
