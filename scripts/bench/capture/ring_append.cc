/** Appends samples as the sampler does and prints the nanoseconds of one: of a group of one channel, and of five. */
#include <array>
#include <cstdio>

#include "../../../native/recording/writer.h"

using namespace crucible::recording;

namespace {

double nanoseconds_of_one(RecordingWriter& writer, std::size_t channels) {
  constexpr int kSamples = 3'000'000;
  std::vector<ChannelDefinition> definitions;
  for (std::size_t i = 0; i < channels; i++)
    definitions.push_back({std::to_string(channels) + "_" + std::to_string(i), "bytes", ChannelKind::integer, ""});
  const auto group = writer.define_group(std::to_string(channels), definitions);
  const auto stream = writer.open_stream();
  stream->attach(*group);
  std::array<double, 8> values{};
  const std::int64_t start_ns = monotonic_now_ns();
  for (int i = 0; i < kSamples; i++) {
    for (std::size_t c = 0; c < channels; c++) values[c] = 100e6 + 4096.0 * (i % 97);
    // A time of its own for each, without asking the clock: that is the sampler's cost, not the ring's.
    stream->sample(*group, {values.data(), channels}, start_ns + 1'000'000LL * i);
  }
  return static_cast<double>(monotonic_now_ns() - start_ns) / kSamples;
}

}  // namespace

int main(int, char** arguments) {
  RecordingWriter writer(arguments[1], "{}", std::uint64_t{0});
  const double one = nanoseconds_of_one(writer, 1);
  const double five = nanoseconds_of_one(writer, 5);
  std::printf("%f %f\n", one, five);
}
