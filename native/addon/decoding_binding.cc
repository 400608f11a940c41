#include <array>
#include <memory>
#include <span>

#include "../recording/checksum.h"
#include "../recording/sample_run.h"
#include "addon.h"
#include "convert.h"

/** What reading a recording spends its time on. */
namespace crucible::addon {

namespace {

using recording::IntegerColumns;

constexpr std::size_t kGroupsMax = 128;

std::span<const std::byte> to_bytes(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw wrong_argument(std::string(name) + " is not a Uint8Array", "a Uint8Array");
  auto array = value.As<Napi::Uint8Array>();
  return {reinterpret_cast<const std::byte*>(array.Data()), array.ByteLength()};
}

/** The numbers themselves: they stay where they are for as long as the call lasts. */
std::span<double> to_numbers(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array)
    throw wrong_argument(std::string(name) + " is not a Float64Array", "a Float64Array");
  auto array = value.As<Napi::Float64Array>();
  return {array.Data(), array.ElementLength()};
}

/** SampleColumns.arrays of src/recording, of each group that a payload has samples of. */
class GivenGroups final : public recording::IntegerGroups {
 public:
  explicit GivenGroups(Napi::Array groups) : groups_(groups) {}

  IntegerColumns* find(std::uint8_t group) override {
    Known& known = known_[group];
    if (!known.is_looked_up) {
      known.is_looked_up = true;
      const Napi::Value arrays = groups_.Get(group);
      if (!arrays.IsUndefined()) known.columns = to_columns(arrays, known.progress);
    }
    return known.columns.get();
  }

  /** Writes how many samples there are now to where JavaScript sees it. */
  void store_lengths() const {
    for (const Known& known : known_)
      if (known.columns) known.progress[0] = static_cast<double>(known.columns->length);
  }

 private:
  struct Known {
    bool is_looked_up = false;
    std::unique_ptr<IntegerColumns> columns;
    std::span<double> progress;
  };

  static std::unique_ptr<IntegerColumns> to_columns(const Napi::Value& value, std::span<double>& progress) {
    if (!value.IsArray() || value.As<Napi::Array>().Length() < 2)
      throw wrong_argument("a group is not given as arrays", "[progress, timesMs, one array a channel]");
    const auto arrays = value.As<Napi::Array>();
    auto columns = std::make_unique<IntegerColumns>();
    progress = to_numbers(arrays.Get(0u), "progress");
    const std::span<double> times = to_numbers(arrays.Get(1u), "timesMs");
    columns->times_ms = times.data();
    columns->capacity = times.size();
    for (std::uint32_t i = 2; i < arrays.Length(); i++) {
      const std::span<double> channel = to_numbers(arrays.Get(i), "a channel");
      if (channel.size() != times.size()) throw wrong_argument("a channel is not as long as its times", "equal lengths");
      columns->channels.push_back(channel.data());
    }
    const bool fits = progress.size() == columns->channels.size() + 1 && progress[0] >= 0 &&
                      progress[0] <= static_cast<double>(columns->capacity);
    if (!fits) throw wrong_argument("progress does not go with its group", "the number of samples and one number a channel");
    columns->previous = progress.data() + 1;
    columns->length = static_cast<std::size_t>(progress[0]);
    return columns;
  }

  Napi::Array groups_;
  std::array<Known, kGroupsMax> known_;
};

Napi::Value decode_sample_run(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&]() -> Napi::Value {
    const auto payload = to_bytes(info[0], "the payload");
    const auto given = to_numbers(info[1], "the place");
    if (given.size() != 3 || !(given[0] >= 0 && given[0] <= static_cast<double>(payload.size())))
      throw wrong_argument("the place is not in the payload", "[at, elapsedNs, latestNs]");
    if (!info[2].IsArray()) throw wrong_argument("the groups are no array", "an array");
    GivenGroups groups(info[2].As<Napi::Array>());
    recording::RunPlace place{static_cast<std::size_t>(given[0]), given[1], given[2]};
    const int full = recording::decode_sample_run(payload, place, groups);
    groups.store_lengths();
    given[0] = static_cast<double>(place.at);
    given[1] = place.elapsed_ns;
    given[2] = place.latest_ns;
    return Napi::Number::New(info.Env(), full);
  });
}

Napi::Value checksum(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&]() -> Napi::Value {
    const auto bytes = to_bytes(info[0], "what is to be checked");
    return Napi::Number::New(info.Env(), recording::Crc32c::of(bytes.data(), bytes.size()));
  });
}

}  // namespace

void register_decoding(Napi::Env env, Napi::Object exports) {
  exports.Set("checksum", Napi::Function::New(env, checksum, "checksum"));
  exports.Set("decodeSampleRun", Napi::Function::New(env, decode_sample_run, "decodeSampleRun"));
}

}  // namespace crucible::addon
